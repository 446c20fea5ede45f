import type { Lsn } from '../lsn.ts'
import { timelineSpans, type TimelineHistory } from '../timeline-history.ts'
import type { WalRange } from './range.ts'

/** WAL that is missing between two stretches that are there; without `to`, nothing follows on its timeline. */
export interface WalGap {
  readonly timeline: number
  readonly from: Lsn
  readonly to: Lsn | undefined
}

/** How far WAL goes without a hole, and what ends it. */
export interface WalReach {
  /** Equal to the position asked from when there is nothing. */
  readonly end: Lsn
  readonly timeline: number
  /** Set when WAL goes on behind a hole. */
  readonly gap: WalGap | undefined
}

/** One timeline's ranges joined where they touch or overlap, in order. */
export function joinRanges(ranges: readonly WalRange[]): WalRange[] {
  const joined: { timeline: number; start: Lsn; end: Lsn }[] = []
  for (const range of [...ranges].sort((a, b) => a.timeline - b.timeline || compare(a.start, b.start) || compare(b.end, a.end))) {
    const last = joined.at(-1)
    if (last && last.timeline === range.timeline && range.start <= last.end) {
      if (range.end > last.end) last.end = range.end
    } else {
      joined.push({ ...range })
    }
  }
  return joined
}

/** The holes between the first and the last byte of each timeline. */
export function findGaps(ranges: readonly WalRange[]): WalGap[] {
  const joined = joinRanges(ranges)
  return joined.flatMap((range, index) => {
    const next = joined[index + 1]
    return next && next.timeline === range.timeline ? [{ timeline: range.timeline, from: range.end, to: next.start }] : []
  })
}

/**
 * How far recovery can go from `from` on the line that leads to `history.timeline`: each ancestor's WAL up to where it was left, then the
 * timeline's own. What an ancestor holds past its fork does not count: no server on this line ever had it.
 */
export function reachAlong(history: TimelineHistory, ranges: readonly WalRange[], from: Lsn): WalReach {
  const joined = joinRanges(ranges)
  let position = from
  let timeline = history.timeline
  for (const span of timelineSpans(history)) {
    if (span.end !== undefined && span.end <= position) continue
    timeline = span.timeline
    const own = joined.filter((range) => range.timeline === span.timeline)
    const holding = own.find((range) => range.start <= position && position < range.end)
    if (holding) position = span.end !== undefined && span.end < holding.end ? span.end : holding.end
    if (span.end !== undefined && position >= span.end) continue
    const next = own.find((range) => range.start > position && (span.end === undefined || range.start < span.end))
    const later = next ?? (span.end === undefined ? undefined : firstAfter(joined, history, span.end))
    return { end: position, timeline, gap: later && { timeline, from: position, to: next?.start ?? span.end } }
  }
  return { end: position, timeline, gap: undefined }
}

/** WAL that a timeline holds beyond where `history`'s line left it: written by a server that was then given up. */
export function abandonedWal(history: TimelineHistory, ranges: readonly WalRange[]): WalRange[] {
  return joinRanges(ranges).flatMap((range) => {
    const fork = history.forks.find(({ timeline }) => timeline === range.timeline)
    if (!fork || range.end <= fork.end) return []
    return [{ timeline: range.timeline, start: range.start > fork.end ? range.start : fork.end, end: range.end }]
  })
}

/** The ranges that one other range holds whole, so that they can go. Of equal ones the first stays. */
export function coveredRanges(ranges: readonly WalRange[]): WalRange[] {
  const sorted = [...ranges].sort((a, b) => a.timeline - b.timeline || compare(a.start, b.start) || compare(b.end, a.end))
  const covered: WalRange[] = []
  let widest: WalRange | undefined
  for (const range of sorted) {
    if (widest && widest.timeline === range.timeline && range.end <= widest.end) covered.push(range)
    else widest = range
  }
  return covered
}

function firstAfter(joined: readonly WalRange[], history: TimelineHistory, position: Lsn): WalRange | undefined {
  const line = new Set([history.timeline, ...history.forks.map((fork) => fork.timeline)])
  return joined.find((range) => line.has(range.timeline) && range.end > position)
}

export function compare(a: bigint, b: bigint): number {
  return a < b ? -1 : a > b ? 1 : 0
}
