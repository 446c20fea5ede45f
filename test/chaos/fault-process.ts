/**
 * An experiment for the crash tests, as a process of its own: `fault-process FOLDER KIND PARAMS AT LEASE LIMIT CATALOG`. Injects one fault and ends it; at the step AT of
 * its records it kills its whole process group with SIGKILL. With AT `hold` it holds the fault until it is killed.
 */
import { loadCatalog } from '../../src/catalog/index.ts'
import { openGuard } from '../../src/chaos/index.ts'
import { faults } from '../../src/faults/index.ts'

const [directory = '', kind = '', params = '{}', at = '', leaseMs = '30000', limitMs = '600000', catalogFile = ''] =
  process.argv.slice(2)
const { signal } = new AbortController()
const catalog = catalogFile === '' ? undefined : await loadCatalog(catalogFile, {}, signal)
const fault = faults.find((known) => known.kind === kind)?.bind(JSON.parse(params))
if (fault === undefined) throw new Error(`there is no fault ${kind}`)
await using guard = await openGuard(
  {
    directory,
    experiment: 'crash',
    faults,
    ahead: [fault],
    leaseMs: Number(leaseMs),
    ...(catalog === undefined ? {} : { catalog }),
    afterRecord: (step) => {
      if (step === at) process.kill(0, 'SIGKILL')
    },
  },
  signal,
)
const injected = await guard.inject(fault, Number(limitMs), signal)
console.log('injected')
if (at === 'hold') await new Promise(() => setInterval(() => {}, 1000))
const { endMs } = await injected.end()
console.log(JSON.stringify({ startMs: injected.startMs, endMs }))
