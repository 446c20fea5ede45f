import { oldLeftovers } from '../leftovers.ts'
import { loseBlobsOf, type CheckState } from './state.ts'

/** A pack that is there and has the size it should have. */
export interface PresentPack {
  readonly id: string
  readonly sizeBytes: number
}

/** Compares the packs that are there with those that the indexes name. Gives those worth reading. */
export async function checkPackList(state: CheckState): Promise<PresentPack[]> {
  const { repository, signal, findings, expected, damage } = state
  const present: PresentPack[] = []
  const seen = new Set<string>()
  const culprits = new Map<string, string>()
  for await (const { name: id, sizeBytes } of repository.backend.list('data', '', signal)) {
    seen.add(id)
    const pack = expected.get(id)
    if (pack === undefined && state.index.hasPack(id)) {
      // Named by an index that cannot be read; what it holds was asked of the pack itself.
      present.push({ id, sizeBytes })
    } else if (pack === undefined) {
      // Stored just before a crash, or by a backup that runs now: nothing depends on it.
      findings.push({ severity: 'note', code: 'pack-unreferenced', pack: id, sizeBytes })
    } else if (pack.sizeBytes === sizeBytes) {
      present.push({ id, sizeBytes })
    } else {
      const expectedBytes = pack.sizeBytes
      culprits.set(id, id)
      damage.set(id, (affected) => ({ severity: 'error', code: 'pack-size', pack: id, sizeBytes, expectedBytes, ...affected }))
    }
  }
  for (const id of expected.keys()) {
    if (seen.has(id)) continue
    culprits.set(id, id)
    damage.set(id, (affected) => ({ severity: 'error', code: 'pack-missing', pack: id, ...affected }))
  }
  for (const { name: file, sizeBytes } of await oldLeftovers(repository, signal))
    findings.push({ severity: 'note', code: 'leftover', file, sizeBytes })
  if (culprits.size > 0) loseBlobsOf(state, culprits)
  state.counts.packs = seen.size
  return present
}
