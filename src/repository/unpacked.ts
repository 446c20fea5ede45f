import { HoldfastError, sha256Hex } from '../kernel/index.ts'
import { kernels } from './kernels/kernels.ts'
import { seal, unseal, type SealKeys } from './seal.ts'
import { zstdCompress, zstdContentBytes, zstdDecompress } from './zstd.ts'

const compressedMark = 2
/** What is stored may be so many times as large when it is decompressed: an index, half of it hashes, is not 10 times. */
const maxRatio = 100
/** Whatever its ratio; and of an index of a large repository, with room to spare. Bytes. */
const [leastLimit, mostLimit] = [1024 * 1024, 1024 * 1024 * 1024]

/** The stored form of an index, snapshot or lock: version byte, zstd frame, sealed. In format version 1 the JSON alone, sealed. */
export function encodeUnpacked(keys: SealKeys, body: Uint8Array, version: 1 | 2): Uint8Array {
  return seal(keys, version === 1 ? body : Buffer.concat([Buffer.of(compressedMark), zstdCompress(body)]))
}

/**
 * The body of a stored index, snapshot or lock; both the compressed form and version 1's plain JSON are read. `memory` is asked for room
 * when it is known how much that takes. Throws `object-damaged`, saying `what` it was.
 */
export function decodeUnpacked(
  keys: SealKeys,
  stored: Uint8Array,
  what: string,
  memory?: (bytes: number) => Uint8Array | undefined,
): Uint8Array {
  const plaintext = unseal(keys, stored, what)
  const first = plaintext[0]
  if (first === 0x7b || first === 0x5b) return plaintext
  if (first === compressedMark) {
    const maxPlainBytes = mostPlainBytes(stored.length)
    const frame = plaintext.subarray(1)
    const size = memory && zstdContentBytes(frame)
    const room = size === undefined || size > maxPlainBytes ? undefined : memory?.(size)
    if (room !== undefined && kernels().decompress(frame, room) === room.length) return room
    return zstdDecompress(frame, maxPlainBytes, what)
  }
  throw new HoldfastError('object-damaged', {
    message: `${what} has an unknown encoding (${first === undefined ? 'it is empty' : `first byte ${first}`})`,
    details: { what },
  })
}

/** A small object must not be able to fill the memory. */
function mostPlainBytes(storedBytes: number): number {
  return Math.min(mostLimit, Math.max(leastLimit, storedBytes * maxRatio))
}

/** Throws `object-damaged` when the stored bytes are not those that the name was made from: altered, truncated, or renamed. */
export function assertNamedByHash(stored: Uint8Array, name: string, what: string): void {
  if (sha256Hex(stored) === name) return
  throw new HoldfastError('object-damaged', {
    message: `${what} does not match its name: its ${stored.length} bytes were altered or truncated`,
    hint: 'run `holdfast check` to see what is affected, and bring the file back from a copy of the repository',
    details: { what, name, sizeBytes: stored.length },
  })
}
