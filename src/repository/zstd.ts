import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import { HoldfastError, messageOf } from '../kernel/index.ts'

/** restic's `auto`. */
const defaultLevel = 3

/** One frame with its content size, so that readers can allocate at once. Synchronous: worker threads call it per chunk. */
export function zstdCompress(plain: Uint8Array, level = defaultLevel): Uint8Array {
  return zstdCompressSync(plain, {
    params: { [constants.ZSTD_c_compressionLevel]: level, [constants.ZSTD_c_contentSizeFlag]: 1 },
    pledgedSrcSize: plain.length,
    chunkSize: outputBytes(plain.length + (plain.length >> 8)),
  })
}

/**
 * Reads a frame of any writer, with or without size and checksum. Throws `object-damaged` when it is not one, or when it would be larger
 * than `maxBytes`: a small object must not be able to fill the memory.
 */
export function zstdDecompress(compressed: Uint8Array, maxBytes: number, what = 'a compressed object'): Uint8Array {
  try {
    return zstdDecompressSync(compressed, { maxOutputLength: Math.max(1, maxBytes), chunkSize: outputBytes(maxBytes) })
  } catch (error) {
    throw new HoldfastError('object-damaged', {
      message: `${what} does not decompress to at most ${maxBytes} bytes: ${messageOf(error)}`,
      cause: error,
      details: { what },
    })
  }
}

const usualPieceBytes = 64 * 1024
const largestPieceBytes = 16 * 1024 * 1024

/**
 * Node allocates output in pieces of this size, before it knows how much there is, and joins them: one piece that just fits, for small
 * blobs and for large ones. What is only bounded, not known, comes in pieces of the usual size.
 */
function outputBytes(expected: number): number {
  return expected > largestPieceBytes ? usualPieceBytes : Math.max(expected + 128, 256)
}
