/** A decider of its own process that sends itself a signal at one instant: `decider-process.ts CATALOG INSTANT SIGNAL ONSET`. */
import { systemClock } from '../../src/kernel/index.ts'
import { detect, loadRunCatalog, openDecider, openReportReader, watchedService } from '../../src/service/index.ts'

const [path = '', instant, signalName = '', onset = ''] = process.argv.slice(2)
const { signal } = new AbortController()
const catalog = await loadRunCatalog(path)
const watched = watchedService(catalog, 'web')
await using reader = openReportReader(catalog, systemClock)
await using decider = await openDecider(catalog, watched, {
  afterRecord: (what) => {
    if (what === instant) process.kill(process.pid, signalName)
  },
})
const seen = await detect(catalog, watched, reader, signal)
const down = { ...seen, verdict: 'down', by: ['north'], start: { start: true, onset: new Date(onset) } } as const
console.log(JSON.stringify(await decider.act(down, {}, signal)))
