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

const magic = 0xfd2f_b528

/** What a frame says that it holds (RFC 8878, section 3.1.1.1); undefined when it does not say, or is none. Untrusted. */
export function zstdContentBytes(frame: Uint8Array): number | undefined {
  const view = new DataView(frame.buffer, frame.byteOffset, frame.length)
  if (frame.length < 6 || view.getUint32(0, true) !== magic) return undefined
  const descriptor = view.getUint8(4)
  const isSingleSegment = (descriptor & 0x20) !== 0
  const at = 5 + (isSingleSegment ? 0 : 1) + ([0, 1, 2, 4][descriptor & 3] ?? 0)
  const kind = descriptor >>> 6
  if (frame.length < at + (1 << kind)) return undefined
  if (kind === 0) return isSingleSegment ? view.getUint8(at) : undefined
  if (kind === 1) return view.getUint16(at, true) + 256
  return kind === 2 ? view.getUint32(at, true) : Number(view.getBigUint64(at, true))
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
