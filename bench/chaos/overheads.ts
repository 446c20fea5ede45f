import { openGuard, type Guard } from '../../src/chaos/index.ts'
import { faults } from '../../src/faults/index.ts'
import { bound, chaosFolder, startVictim } from '../../test/support/chaos.ts'
import { startToxiproxy } from '../../test/support/toxiproxy.ts'
import { twoPlaces } from '../../test/support/two-places.ts'
import type { Figure } from '../benchmark.ts'
import { spreadOf } from '../measure.ts'

const never = new AbortController().signal

/** How long it takes until a fault is on record, guarded, injected and seen to be there; and until it is taken back and seen to be gone. */
export async function overheads(rounds: number): Promise<Figure[]> {
  await using folder = await chaosFolder()
  await using victim = await startVictim()
  await using places = await twoPlaces()
  await using toxiproxy = await startToxiproxy('127.0.0.1:1')
  await using guard = await openGuard({ directory: folder.path, experiment: 'bench', faults }, never)
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
  const figures: Figure[] = []
  for (const [kind, params] of local) figures.push(...(await overhead(guard, kind, params, rounds)))
  return figures
}

async function overhead(guard: Guard, kind: string, params: unknown, rounds: number): Promise<Figure[]> {
  const starts: number[] = []
  const ends: number[] = []
  for (let round = 0; round <= rounds; round++) {
    const fault = await guard.inject(bound(kind, params), 60_000, never)
    const { endMs } = await fault.end()
    // The first loads what the others have.
    if (round === 0) continue
    starts.push(fault.startMs)
    ends.push(endMs)
  }
  return [
    { what: `${kind}: until it is there`, unit: 'ms', value: spreadOf(starts), goal: 100 },
    { what: `${kind}: until it is gone`, unit: 'ms', value: spreadOf(ends), goal: 100 },
  ]
}
