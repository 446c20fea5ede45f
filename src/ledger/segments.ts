import type { SealedArea } from '../storage/index.ts'
import { recordName, seqOfName } from './record.ts'

/**
 * Old records are packed, 1,024 to an object: a million records in a million objects could be listed and read by nobody in reasonable time.
 * A segment's content is the texts of its records, each with a line feed, which no canonical JSON contains.
 */
export const segmentSize = 1024
/** So many newer records are there before a segment is packed: nobody writes so far behind the end any more. */
const margin = 256

export interface Segment {
  readonly from: number
  readonly to: number
}

/** The segment that record `seq` is packed into, whether it is there or not. */
export function segmentOf(seq: number): Segment {
  const from = seq - ((seq - 1) % segmentSize)
  return { from, to: from + segmentSize - 1 }
}

export function segmentName({ from, to }: Segment): string {
  return `${recordName(from)}-${recordName(to)}`
}

/** The inverse of segmentName; undefined for a name that no segment has. */
export function segmentOfName(name: string): Segment | undefined {
  const [first = '', second = '', ...more] = name.split('-')
  const [from, to] = [seqOfName(first), seqOfName(second)]
  if (from === undefined || to === undefined || more.length > 0) return undefined
  return segmentOf(from).from === from && segmentOf(from).to === to ? { from, to } : undefined
}

/** The texts of a segment's records, as bytes. Throws `object-missing`, `object-damaged`. */
export async function readSegment(area: SealedArea, segment: Segment, signal?: AbortSignal): Promise<Uint8Array[]> {
  const bytes = await area.get(segmentName(segment), signal)
  const lines: Uint8Array[] = []
  for (let at = 0; at < bytes.length;) {
    const end = bytes.indexOf(10, at)
    const to = end < 0 ? bytes.length : end
    lines.push(bytes.subarray(at, to))
    at = to + 1
  }
  return lines
}

/** Whether it is time to pack, behind record `seq`. */
export function isTimeToPack(seq: number): boolean {
  return seq > segmentSize && seq % segmentSize === margin
}

/** Segments that are full and old enough, and have records that stand by themselves. */
export function segmentsToPack(loose: readonly number[], newest: number): Segment[] {
  const froms = new Set(loose.map((seq) => segmentOf(seq).from))
  return [...froms].map(segmentOf).filter(({ to }) => to <= newest - margin)
}

/** Whether record `seq` was packed: then its place is taken, although no object has its name. */
export async function isPacked(area: SealedArea, seq: number, signal?: AbortSignal): Promise<boolean> {
  for await (const { name } of area.list(segmentName(segmentOf(seq)), signal)) if (segmentOfName(name)) return true
  return false
}
