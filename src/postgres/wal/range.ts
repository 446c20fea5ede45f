import { HoldfastError } from '../../kernel/index.ts'
import { formatLsn, type Lsn } from '../lsn.ts'

/** A stretch [start, end) of one timeline's WAL. */
export interface WalRange {
  readonly timeline: number
  readonly start: Lsn
  readonly end: Lsn
}

/** What is known about a stored range beside its bytes. Times are microseconds since 1970, by the server's clock. */
export interface WalRangeFacts {
  readonly segmentBytes: number
  /** When the server sent the newest byte. */
  readonly sentAtUs?: bigint | undefined
  /** Whatever the server had flushed by then lies before the range's end. */
  readonly completeUntilUs?: bigint | undefined
}

/** The server's word, at a moment, that it has nothing beyond a position: how an idle server's archive shows that it is not behind. */
export interface WalMark {
  readonly timeline: number
  readonly lsn: Lsn
  readonly completeUntilUs: bigint
}

export const rangeHeaderBytes = 64
const magic = Buffer.from('HFWAL\0\0\u0001', 'latin1')
const rangeName = /^([0-9A-F]{8})\/([0-9A-F]{16})-([0-9A-F]{16})$/
const markName = /^([0-9A-F]{8})\/([0-9A-F]{16})@([0-9A-F]{16})$/

const hex = (value: bigint | number, digits: number) => value.toString(16).toUpperCase().padStart(digits, '0')

/** The folder of a timeline below the system identifier's. */
export function timelineFolder(timeline: number): string {
  return `${hex(timeline, 8)}/`
}

export function rangeToName(range: WalRange): string {
  return `${timelineFolder(range.timeline)}${hex(range.start, 16)}-${hex(range.end, 16)}`
}

export function nameToRange(name: string): WalRange | undefined {
  const match = rangeName.exec(name)
  if (!match) return undefined
  const [, timeline = '', start = '', end = ''] = match
  return { timeline: Number.parseInt(timeline, 16), start: BigInt(`0x${start}`), end: BigInt(`0x${end}`) }
}

export function markToName(mark: WalMark): string {
  return `${timelineFolder(mark.timeline)}${hex(mark.lsn, 16)}@${hex(mark.completeUntilUs, 16)}`
}

export function nameToMark(name: string): WalMark | undefined {
  const match = markName.exec(name)
  if (!match) return undefined
  const [, timeline = '', lsn = '', time = ''] = match
  return { timeline: Number.parseInt(timeline, 16), lsn: BigInt(`0x${lsn}`), completeUntilUs: BigInt(`0x${time}`) }
}

/** The leading digits that every range within one segment shares, for listing it alone. */
export function segmentPrefix(timeline: number, start: Lsn, segmentBytes: number): string {
  const sharedDigits = 16 - Math.ceil(Math.log2(segmentBytes) / 4)
  return timelineFolder(timeline) + hex(start, 16).slice(0, sharedDigits)
}

/** The header before the WAL bytes (docs/formats/wal.md). A mark is a header alone, its start and end the same. */
export function encodeRangeHeader(systemIdentifier: string, range: WalRange, facts: WalRangeFacts): Buffer {
  const header = Buffer.alloc(rangeHeaderBytes)
  magic.copy(header)
  header.writeBigUInt64BE(BigInt(systemIdentifier), 8)
  header.writeUInt32BE(range.timeline, 16)
  header.writeUInt32BE(facts.segmentBytes, 20)
  header.writeBigUInt64BE(range.start, 24)
  header.writeBigUInt64BE(range.end, 32)
  header.writeBigInt64BE(facts.sentAtUs ?? 0n, 40)
  header.writeBigInt64BE(facts.completeUntilUs ?? 0n, 48)
  return header
}

/** Reads and checks an object against the name it was stored under. Throws `object-damaged`. */
export function decodeRange(
  systemIdentifier: string,
  expected: WalRange,
  object: Uint8Array,
): WalRangeFacts & { readonly bytes: Buffer } {
  const buffer = Buffer.from(object.buffer, object.byteOffset, object.byteLength)
  const damaged = (reason: string) =>
    new HoldfastError('object-damaged', {
      message: `the WAL range ${formatLsn(expected.start)}–${formatLsn(expected.end)} of timeline ${expected.timeline} ${reason}`,
      hint: 'run `holdfast check` to see what else is damaged; recovery reaches up to this position',
      details: { timeline: expected.timeline, start: formatLsn(expected.start), end: formatLsn(expected.end) },
    })
  if (buffer.length < rangeHeaderBytes || !buffer.subarray(0, 7).equals(magic.subarray(0, 7))) throw damaged('is not one')
  if (buffer[7] !== magic[7]) throw damaged(`has format version ${buffer[7]}, which this program does not know`)
  const same =
    buffer.readBigUInt64BE(8) === BigInt(systemIdentifier) &&
    buffer.readUInt32BE(16) === expected.timeline &&
    buffer.readBigUInt64BE(24) === expected.start &&
    buffer.readBigUInt64BE(32) === expected.end
  if (!same) throw damaged('says that it is another one')
  const bytes = buffer.subarray(rangeHeaderBytes)
  if (BigInt(bytes.length) !== expected.end - expected.start) throw damaged(`holds ${bytes.length} bytes`)
  const time = (offset: number) => {
    const value = buffer.readBigInt64BE(offset)
    return value === 0n ? undefined : value
  }
  return { segmentBytes: buffer.readUInt32BE(20), sentAtUs: time(40), completeUntilUs: time(48), bytes }
}
