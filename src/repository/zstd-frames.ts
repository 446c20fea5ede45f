import { zstdContentBytes } from './zstd.ts'

const magic = 0xfd2f_b528
const runBlock = 1
const reservedBlock = 3

/** One of the frames that follow each other. `contentBytes` is what it says that it holds, if it does. Untrusted. */
export interface ZstdFrame {
  readonly frame: Uint8Array
  readonly contentBytes: number | undefined
}

/** Where frames begin and end (RFC 8878, section 3.1.1); undefined for what is anything else than frames. Nothing is decompressed for it. */
export function zstdFrames(bytes: Uint8Array): ZstdFrame[] | undefined {
  const frames: ZstdFrame[] = []
  for (let at = 0; at < bytes.length;) {
    const end = frameEnd(bytes, at)
    if (end === undefined) return undefined
    const frame = bytes.subarray(at, end)
    frames.push({ frame, contentBytes: zstdContentBytes(frame) })
    at = end
  }
  return frames
}

function frameEnd(bytes: Uint8Array, start: number): number | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  if (start + 6 > bytes.length || view.getUint32(start, true) !== magic) return undefined
  const descriptor = view.getUint8(start + 4)
  const isSingleSegment = (descriptor & 0x20) !== 0
  const sizeKind = descriptor >>> 6
  const sizeBytes = sizeKind === 0 ? (isSingleSegment ? 1 : 0) : 1 << sizeKind
  const windowBytes = isSingleSegment ? 0 : 1
  const dictionaryBytes = [0, 1, 2, 4][descriptor & 3] ?? 0
  const checksumBytes = (descriptor & 0x04) === 0 ? 0 : 4
  let at = start + 5 + windowBytes + dictionaryBytes + sizeBytes
  for (let isLast = false; !isLast;) {
    if (at + 3 > bytes.length) return undefined
    const header = view.getUint16(at, true) | (view.getUint8(at + 2) << 16)
    isLast = (header & 1) === 1
    const kind = (header >>> 1) & 3
    if (kind === reservedBlock) return undefined
    at += 3 + (kind === runBlock ? 1 : header >>> 3)
  }
  at += checksumBytes
  return at > bytes.length ? undefined : at
}
