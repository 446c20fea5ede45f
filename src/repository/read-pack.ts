import { isHoldfastError } from '../kernel/index.ts'
import type { Backend } from '../storage/index.ts'
import { decodeBlob, type BlobEntry } from './blob.ts'
import { sealOverheadBytes, type SealKeys } from './seal.ts'

/** Bytes between two wanted blobs that are rather read than skipped with another request: restic's figure. */
const maxGapBytes = 1024 * 1024
/** Read at once at most, unless a single blob is larger. */
const maxRangeBytes = 16 * 1024 * 1024

/** A blob as it was found: its verified plaintext, or why it cannot be had (`pack-damaged`, `object-missing`). */
export type FoundBlob =
  | { readonly entry: BlobEntry; readonly plaintext: Uint8Array }
  | { readonly entry: BlobEntry; readonly error: Error }

/** Bytes of a blob's plaintext. */
export function plaintextBytes({ length, uncompressedLength }: BlobEntry): number {
  return uncompressedLength ?? length - sealOverheadBytes
}

/**
 * Reads blobs of one pack in the order of their places, with as few requests as make sense. Every plaintext is verified against its id.
 * Damage is a result, so that one bad blob does not hide the others; failures of the storage itself are thrown.
 */
export async function* readPackBlobs(
  backend: Backend,
  keys: SealKeys,
  pack: string,
  entries: readonly BlobEntry[],
  signal?: AbortSignal,
): AsyncGenerator<FoundBlob> {
  for (const group of readTogether(entries)) yield* readGroup(backend, keys, pack, group, signal)
}

/** `group` is in order of the offsets. */
async function* readGroup(
  backend: Backend,
  keys: SealKeys,
  pack: string,
  group: readonly BlobEntry[],
  signal: AbortSignal | undefined,
): AsyncGenerator<FoundBlob> {
  const offset = group[0]?.offset ?? 0
  const end = group.reduce((end, entry) => Math.max(end, entry.offset + entry.length), offset)
  let bytes: Uint8Array
  try {
    bytes = await backend.get('data', pack, { range: { offset, length: end - offset }, ...(signal && { signal }) })
  } catch (error) {
    if (!isHoldfastError(error, 'object-missing') && !isHoldfastError(error, 'object-damaged')) throw error
    // A truncated pack may still have the first of them.
    if (group.length > 1) for (const entry of group) yield* readGroup(backend, keys, pack, [entry], signal)
    else for (const entry of group) yield { entry, error }
    return
  }
  for (const entry of group) {
    const stored = bytes.subarray(entry.offset - offset, entry.offset - offset + entry.length)
    yield decoded(keys, stored, entry, pack)
  }
}

function decoded(keys: SealKeys, stored: Uint8Array, entry: BlobEntry, pack: string): FoundBlob {
  try {
    return { entry, plaintext: decodeBlob(keys, stored, entry, pack) }
  } catch (error) {
    if (!isHoldfastError(error, 'pack-damaged')) throw error
    return { entry, error }
  }
}

/** The entries in order of their offsets, in groups that are read at once. */
export function readTogether(entries: readonly BlobEntry[]): BlobEntry[][] {
  const groups: BlobEntry[][] = []
  let group: BlobEntry[] = []
  for (const entry of entries.toSorted((a, b) => a.offset - b.offset)) {
    const [first] = group
    const last = group.at(-1)
    const fits =
      first !== undefined &&
      last !== undefined &&
      entry.offset - (last.offset + last.length) <= maxGapBytes &&
      entry.offset + entry.length - first.offset <= maxRangeBytes
    if (!fits) groups.push((group = []))
    group.push(entry)
  }
  return groups
}
