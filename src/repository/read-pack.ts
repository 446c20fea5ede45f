import { isHoldfastError } from '../kernel/index.ts'
import type { Backend } from '../storage/index.ts'
import { decodeBlob, type BlobEntry } from './blob.ts'
import { sealOverheadBytes, type SealKeys } from './seal.ts'

/** Bytes between two wanted blobs that are rather read than skipped with another request: restic's figure. */
const maxGapBytes = 1024 * 1024
/** Read at once at most, unless a single blob is larger. */
export const maxRangeBytes = 16 * 1024 * 1024

/** A blob as it was found: its verified plaintext, or why it cannot be had (`pack-damaged`, `object-missing`). */
export type FoundBlob =
  | { readonly entry: BlobEntry; readonly plaintext: Uint8Array }
  | { readonly entry: BlobEntry; readonly error: Error }

/** Bytes of a blob's plaintext. None of what is too short to be sealed: an index may say so. */
export function plaintextBytes({ length, uncompressedLength }: BlobEntry): number {
  return uncompressedLength ?? Math.max(0, length - sealOverheadBytes)
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
  for await (const range of readPackRanges(backend, pack, entries, { signal })) {
    if ('error' in range) for (const entry of range.entries) yield { entry, error: range.error }
    else for (const entry of range.entries) yield decoded(keys, storedIn(range, entry), entry, pack)
  }
}

/** What was read of a pack at once, in order of the offsets: its bytes from `offset` on, or why they cannot be had (`object-missing`, `object-damaged`). */
export type PackRange =
  | { readonly entries: readonly BlobEntry[]; readonly offset: number; readonly bytes: Uint8Array }
  | { readonly entries: readonly BlobEntry[]; readonly error: Error }

/** A blob of a range, sealed. */
export function storedIn({ offset, bytes }: { offset: number; bytes: Uint8Array }, entry: BlobEntry): Uint8Array {
  return bytes.subarray(entry.offset - offset, entry.offset - offset + entry.length)
}

export interface RangeOptions {
  /** See GetOptions. What is read lies there until the next range is asked for. maxRangeBytes are enough, but for single blobs that are larger. */
  readonly into?: Uint8Array
  readonly signal?: AbortSignal | undefined
}

/** See readPackBlobs: the same, not opened yet. */
export async function* readPackRanges(
  backend: Backend,
  pack: string,
  entries: readonly BlobEntry[],
  options: RangeOptions = {},
): AsyncGenerator<PackRange> {
  for (const group of readTogether(entries)) yield* readGroup(backend, pack, group, options)
}

/** `group` is in order of the offsets. */
async function* readGroup(
  backend: Backend,
  pack: string,
  group: readonly BlobEntry[],
  options: RangeOptions,
): AsyncGenerator<PackRange> {
  const { into, signal } = options
  const offset = group[0]?.offset ?? 0
  const end = group.reduce((end, entry) => Math.max(end, entry.offset + entry.length), offset)
  try {
    const range = { offset, length: end - offset }
    const bytes = await backend.get('data', pack, { range, ...(into && { into }), ...(signal && { signal }) })
    yield { entries: group, offset, bytes }
  } catch (error) {
    if (!isHoldfastError(error, 'object-missing') && !isHoldfastError(error, 'object-damaged')) throw error
    // A truncated pack may still have the first of them.
    if (group.length > 1) for (const entry of group) yield* readGroup(backend, pack, [entry], options)
    else yield { entries: group, error }
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
