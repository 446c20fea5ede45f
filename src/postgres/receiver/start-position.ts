import { segmentStart, type Lsn } from '../lsn.ts'
import { timelineSpans, type TimelineHistory } from '../timeline-history.ts'
import { joinRanges } from '../wal/coverage.ts'
import type { WalRange } from '../wal/range.ts'

/** Where to begin to stream. */
export interface StartPosition {
  readonly timeline: number
  /** A segment's start: so every stored segment is whole, and what the archive has of it is compared with what the server sends. */
  readonly start: Lsn
  /** The archive has everything before this; equal to start, or later in the same segment. */
  readonly durable: Lsn
  readonly basis: 'archive' | 'slot'
  /** The archive has bytes of an ancestor beyond the place where the server's line left it: an old primary wrote them, and they are lost to the new one. */
  readonly diverged: WalRange | undefined
}

/**
 * Decides it from what the archive has and what the server is. The newest timeline of the server's line that the archive has anything of counts;
 * without any, the slot's position, which the server promises to have.
 */
export function startPosition(
  history: TimelineHistory,
  ranges: readonly WalRange[],
  slot: { readonly timeline: number; readonly lsn: Lsn },
  segmentBytes: number,
): StartPosition {
  const joined = joinRanges(ranges)
  const spans = timelineSpans(history)
  for (const [index, span] of [...spans.entries()].reverse()) {
    const last = joined.findLast((range) => range.timeline === span.timeline)
    if (!last) continue
    const child = spans[index + 1]
    if (span.end !== undefined && child && last.end >= span.end) {
      const diverged = last.end > span.end ? { timeline: span.timeline, start: span.end, end: last.end } : undefined
      // The child's copy of this segment holds the ancestor's bytes too: it begins with the segment.
      const start = segmentStart(span.end, segmentBytes)
      return { timeline: child.timeline, start, durable: start, basis: 'archive', diverged }
    }
    return {
      timeline: span.timeline,
      start: segmentStart(last.end, segmentBytes),
      durable: last.end,
      basis: 'archive',
      diverged: undefined,
    }
  }
  const start = segmentStart(slot.lsn, segmentBytes)
  return { timeline: slot.timeline, start, durable: start, basis: 'slot', diverged: undefined }
}
