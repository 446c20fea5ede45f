import { isHoldfastError } from '../kernel/index.ts'
import type { SealedArea } from '../storage/index.ts'
import { listLedger, readEntries, readLoose } from './read.ts'
import { recordName } from './record.ts'
import { readSegment, segmentName, segmentsToPack, type Segment } from './segments.ts'

/**
 * Packs what is old enough, then removes what stands by itself. Killed at any instruction it leaves records by themselves, or both forms, and can
 * be run again, also by two at once. A segment with a damaged record stays as it is: what is wrong with it must be seen. Storage that refuses,
 * as one that lets nothing be deleted does, is no failure of whoever appended: the records are there.
 */
export async function packOldRecords(area: SealedArea, signal?: AbortSignal): Promise<void> {
  try {
    const { loose, seqs, segments } = await listLedger(area, signal)
    for (const segment of segmentsToPack(loose, seqs.at(-1) ?? 0)) {
      const places = loose.filter((seq) => seq >= segment.from && seq <= segment.to)
      if (segments.has(segment.from) || (await pack(area, segment, places, signal)))
        await removePacked(area, segment, places, signal)
    }
  } catch (error) {
    signal?.throwIfAborted()
    if (!isHoldfastError(error) || error.code === 'internal') throw error
  }
}

/** Whether the segment is there now. */
async function pack(area: SealedArea, segment: Segment, places: readonly number[], signal?: AbortSignal): Promise<boolean> {
  const texts: string[] = []
  for await (const { record } of readEntries(area, { seqs: places, segments: new Map() }, signal))
    if (record) texts.push(`${record.canonical}\n`)
  if (texts.length !== segment.to - segment.from + 1) return false
  try {
    await area.put(segmentName(segment), new TextEncoder().encode(texts.join('')), { ifAbsent: true, ...(signal && { signal }) })
  } catch (error) {
    if (!isHoldfastError(error, 'already-exists')) throw error
  }
  return true
}

/** What is removed must be in the segment as it is stored, not as it was meant to be. */
async function removePacked(area: SealedArea, segment: Segment, places: readonly number[], signal?: AbortSignal): Promise<void> {
  const lines = await readSegment(area, segment, signal)
  for (const seq of places) {
    const { record } = await readLoose(area, seq, signal)
    const line = lines[seq - segment.from]
    if (record && line && new TextDecoder().decode(line) === record.canonical) await area.delete(recordName(seq), signal)
  }
}
