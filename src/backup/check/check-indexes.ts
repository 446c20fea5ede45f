import { isHoldfastError, messageOf, sha256Hex } from '../../kernel/index.ts'
import { packFileBytes, type BlobEntry } from '../../repository/index.ts'
import type { CheckState } from './state.ts'

/** Reads every index file: what it says of packs is what the later phases compare with. An unreadable one is a finding. */
export async function checkIndexes(state: CheckState): Promise<void> {
  const { repository, progress, signal, findings, expected } = state
  const ids = (await Array.fromAsync(repository.backend.list('index', '', signal))).map(({ name }) => name)
  for (const [done, index] of ids.entries()) {
    progress({ type: 'check', phase: 'indexes', done, total: ids.length })
    try {
      for (const { id: pack, blobs } of await repository.readIndex(index, signal)) {
        const digest = blobsDigest(blobs)
        const known = expected.get(pack)
        if (known === undefined) expected.set(pack, { sizeBytes: packFileBytes(blobs), digest })
        else if (known.digest !== digest) findings.push({ severity: 'error', code: 'index-contradicts', index, pack })
        if (known === undefined && new Set(blobs.map(({ type }) => type)).size > 1)
          findings.push({ severity: 'note', code: 'pack-mixed', pack })
      }
    } catch (error) {
      if (!isHoldfastError(error, 'object-damaged')) throw error
      findings.push({ severity: 'error', code: 'index-unreadable', index, reason: messageOf(error) })
    }
  }
  state.counts.indexes = ids.length
}

/** One value for one list of blobs in their places, whatever their order. */
export function blobsDigest(blobs: readonly BlobEntry[]): string {
  const lines = blobs
    .toSorted((a, b) => a.offset - b.offset)
    .map(({ type, id, offset, length, uncompressedLength }) => `${type} ${id} ${offset} ${length} ${uncompressedLength ?? ''}`)
  return sha256Hex(lines.join('\n'))
}
