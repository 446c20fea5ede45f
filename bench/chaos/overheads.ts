import { openGuard, type Guard } from '../../src/chaos/index.ts'
import { faults, type BoundFault } from '../../src/faults/index.ts'
import { bound, chaosFolder, startVictim } from '../../test/support/chaos.ts'
import { startToxiproxy } from '../../test/support/toxiproxy.ts'
import { twoPlaces } from '../../test/support/two-places.ts'
import { systemClock } from '../../src/kernel/index.ts'
import type { Figure } from '../benchmark.ts'
import { spreadOf } from '../measure.ts'

/** How long each stays, so that what holds the next one is started meanwhile, as in an experiment. */
const heldMs = 500
const never = new AbortController().signal

/** How long it takes until a fault is on record, guarded, injected and seen to be there; and until it is taken back and seen to be gone. */
export async function overheads(rounds: number): Promise<Figure[]> {
  await using folder = await chaosFolder()
  await using victim = await startVictim()
  await using places = await twoPlaces()
  await using toxiproxy = await startToxiproxy('127.0.0.1:1')
  const { namespace, there } = places
  const local: readonly (readonly [kind: string, params: unknown])[] = [
    ['process.pause', { target: { pid: victim.pid } }],
    ['network.partition', { namespace, peers: [there] }],
    ['network.port-block', { namespace, ports: [5432] }],
    ['network.rate', { namespace, device: 'cable0', rate: '1MB' }],
    ['tcp.toxic', { api: toxiproxy.api, proxy: 'echo', toxic: { latency: { delay: '200ms' } } }],
    ['disk.fill', { directory: folder.path, fill: { size: '16MiB' } }],
    ['dns.resolver', { listen: '127.77.0.54:5354', effect: { fail: 'SERVFAIL' } }],
    ['stress', { cpu: { workers: 1, load: 5 } }],
  ]
  // The first loads what the others have.
  const injections = local.map(([kind, params]) => Array.from({ length: rounds + 1 }, () => bound(kind, params)))
  await using guard = await openGuard({ directory: folder.path, experiment: 'bench', faults, ahead: injections.flat() }, never)
  const figures: Figure[] = []
  for (const faults of injections) figures.push(...(await overhead(guard, faults)))
  return figures
}

async function overhead(guard: Guard, [first, ...others]: readonly BoundFault[]): Promise<Figure[]> {
  const starts: number[] = []
  const ends: number[] = []
  const once = async (fault: BoundFault) => {
    const injected = await guard.inject(fault, 60_000, never)
    await systemClock.sleep(heldMs)
    const { endMs } = await injected.end()
    return { startMs: injected.startMs, endMs }
  }
  if (first === undefined) return []
  await once(first)
  for (const fault of others) {
    const { startMs, endMs } = await once(fault)
    starts.push(startMs)
    ends.push(endMs)
  }
  const { kind } = first
  return [
    { what: `${kind}: until it is there`, unit: 'ms', value: spreadOf(starts), goal: 100 },
    { what: `${kind}: until it is gone`, unit: 'ms', value: spreadOf(ends), goal: 100 },
  ]
}
