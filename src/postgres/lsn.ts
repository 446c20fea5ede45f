import { HoldfastError } from '../kernel/index.ts'

/** A position in the write-ahead log: bytes since the cluster's beginning. Written `1A/2B3C4D` by PostgreSQL. */
export type Lsn = bigint

const segmentName = /^([0-9A-F]{8})([0-9A-F]{8})([0-9A-F]{8})$/

/** Reads PostgreSQL's form, two hexadecimal halves; undefined when the text is not one. */
export function tryParseLsn(text: string): Lsn | undefined {
  const match = /^([0-9A-Fa-f]{1,8})\/([0-9A-Fa-f]{1,8})$/.exec(text)
  if (!match) return undefined
  return (BigInt(`0x${match[1]}`) << 32n) | BigInt(`0x${match[2]}`)
}

/** As tryParseLsn. Throws `usage` for anything that is not a position. */
export function parseLsn(text: string): Lsn {
  const lsn = tryParseLsn(text)
  if (lsn !== undefined) return lsn
  throw new HoldfastError('usage', {
    message: `'${text}' is not a WAL position`,
    hint: 'write it as PostgreSQL does, for example 0/3000148',
  })
}

/** PostgreSQL's form, `0/3000148`. */
export function formatLsn(lsn: Lsn): string {
  return `${(lsn >> 32n).toString(16).toUpperCase()}/${(lsn & 0xffff_ffffn).toString(16).toUpperCase()}`
}

/** The number of the segment that holds the byte at `lsn`. */
export function segmentNumber(lsn: Lsn, segmentBytes: number): bigint {
  return lsn / BigInt(segmentBytes)
}

/** The position at which the segment holding `lsn` begins. */
export function segmentStart(lsn: Lsn, segmentBytes: number): Lsn {
  return lsn - (lsn % BigInt(segmentBytes))
}

/** Where the segment holding `lsn` ends: the beginning of the next one. */
export function segmentEnd(lsn: Lsn, segmentBytes: number): Lsn {
  return segmentStart(lsn, segmentBytes) + BigInt(segmentBytes)
}

/** The file name of a segment in pg_wal: timeline, then the number split where its LSN passes 4 GiB, each 8 hex digits. */
export function walFileName(timeline: number, segment: bigint, segmentBytes: number): string {
  const perHigh = 0x1_0000_0000n / BigInt(segmentBytes)
  const hex = (value: bigint | number) => value.toString(16).toUpperCase().padStart(8, '0')
  return hex(timeline) + hex(segment / perHigh) + hex(segment % perHigh)
}

/** The reverse of walFileName; undefined for names that are not a segment's (history, backup and partial files among them). */
export function parseWalFileName(
  name: string,
  segmentBytes: number,
): { readonly timeline: number; readonly segment: bigint } | undefined {
  const match = segmentName.exec(name)
  if (!match) return undefined
  const perHigh = 0x1_0000_0000n / BigInt(segmentBytes)
  return {
    timeline: Number.parseInt(match[1] ?? '', 16),
    segment: BigInt(`0x${match[2]}`) * perHigh + BigInt(`0x${match[3]}`),
  }
}

/** The name of a timeline's history file: `00000002.history`. */
export function historyFileName(timeline: number): string {
  return `${timeline.toString(16).toUpperCase().padStart(8, '0')}.history`
}
