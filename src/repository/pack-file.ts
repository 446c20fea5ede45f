import type { Backend } from '../storage/index.ts'
import type { BlobEntry } from './blob.ts'
import { headerLengthBytes, locateHeader, openPackHeader } from './pack-header.ts'
import type { SealKeys } from './seal.ts'

/** What a pack says of itself: its blobs, from its own header. Throws `pack-damaged`, `object-missing`. */
export async function readPackHeader(
  backend: Backend,
  keys: SealKeys,
  { id, sizeBytes }: { id: string; sizeBytes: number },
  signal?: AbortSignal,
): Promise<BlobEntry[]> {
  const options = signal && { signal }
  const tailBytes = Math.min(headerLengthBytes, sizeBytes)
  const tail = await backend.get('data', id, { ...options, range: { offset: sizeBytes - tailBytes, length: tailBytes } })
  const range = locateHeader(sizeBytes, tail, id)
  return openPackHeader(keys, await backend.get('data', id, { ...options, range }), sizeBytes, id)
}
