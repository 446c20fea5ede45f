import { segmentNumber, type Lsn } from '../lsn.ts'
import type { TimelineHistory } from '../timeline-history.ts'
import type { WalArchive, WalArchiveContents } from './contract.ts'
import { compare, reachAlong } from './coverage.ts'
import type { WalRangeFacts } from './range.ts'
import { latest } from './segment.ts'

/** The position after the last byte of a timeline, and when the archive was last known to lack nothing. Undefined for an empty timeline. */
export async function timelineEnd(
  archive: WalArchive,
  timeline: number,
  contents: WalArchiveContents,
  signal?: AbortSignal,
): Promise<({ readonly end: Lsn } & WalRangeFacts) | undefined> {
  const own = contents.ranges.filter((range) => range.timeline === timeline)
  const last = own.toSorted((a, b) => compare(a.end, b.end) || compare(a.start, b.start)).at(-1)
  if (!last) return undefined
  const size = await archive.segmentBytes(signal)
  if (size === undefined) return undefined
  const segment = await archive.readSegment(timeline, segmentNumber(last.end - 1n, size), signal, { untilDamage: true })
  const marked = contents.marks.findLast((mark) => mark.timeline === timeline && mark.lsn <= last.end)?.completeUntilUs
  const seen = segment?.end === last.end ? segment : undefined
  return { end: last.end, segmentBytes: size, sentAtUs: seen?.sentAtUs, completeUntilUs: latest(seen?.completeUntilUs, marked) }
}

/** The newest timeline whose line of descent includes a position, so that recovery from there can follow it. */
export async function newestTimelineFrom(
  archive: WalArchive,
  contents: WalArchiveContents,
  position: { readonly timeline: number; readonly lsn: Lsn },
  signal?: AbortSignal,
): Promise<TimelineHistory> {
  for (const timeline of contents.histories.toReversed()) {
    if (timeline <= position.timeline) break
    const history = await archive.history(timeline, signal)
    const fork = history?.forks.find((fork) => fork.timeline === position.timeline)
    // A timeline that the archive knows by name but has no byte of, or cannot reach without a hole, would end recovery before the fork.
    if (history && fork && position.lsn <= fork.end && reachAlong(history, contents.ranges, position.lsn).timeline === timeline) {
      return history
    }
  }
  return (await archive.history(position.timeline, signal)) ?? { timeline: position.timeline, forks: [], text: '' }
}
