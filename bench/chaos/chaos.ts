import type { Benchmark } from '../benchmark.ts'
import { cadence } from './cadence.ts'
import { overheads } from './overheads.ts'
import { throughputs, toxiproxyVersion } from './throughput.ts'

/** What an experiment costs beside what it shows. */
export const chaos: Benchmark = {
  name: 'chaos',
  about: 'faults of this machine, the cadence of samples, and the proxy of tcp.toxic; as root, with nft, tc and stress-ng',
  versions: () => Promise.resolve([toxiproxyVersion()]),
  async measure(rounds) {
    return [...(await overheads(rounds)), ...(await cadence(rounds)), ...(await throughputs(rounds))]
  },
}
