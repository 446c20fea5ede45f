import { HoldfastError } from '../kernel/index.ts'
import { formatLsn, tryParseLsn, type Lsn } from './lsn.ts'

/** One step of a timeline's descent: `timeline` was left for its child at `end`. */
export interface TimelineFork {
  readonly timeline: number
  readonly end: Lsn
}

/** How a timeline came to be: its ancestors, oldest first. Timeline 1 has none, and no file. */
export interface TimelineHistory {
  readonly timeline: number
  readonly forks: readonly TimelineFork[]
  /** The file as PostgreSQL wrote it; '' for a timeline without a file. */
  readonly text: string
}

/** A stretch of WAL that belongs to one timeline: [start, end); without an end, as far as it goes. */
export interface TimelineSpan {
  readonly timeline: number
  readonly start: Lsn
  readonly end: Lsn | undefined
}

/**
 * Reads a `.history` file: lines of parent timeline, fork position and reason, separated by tabs; blank lines and comments are skipped
 * (PostgreSQL, src/backend/access/transam/timeline.c). Throws `object-damaged` when a line cannot be read or the order is wrong.
 */
export function parseTimelineHistory(timeline: number, text: string): TimelineHistory {
  const forks: TimelineFork[] = []
  for (const [index, line] of text.split('\n').entries()) {
    const content = line.replace(/#.*/, '').trim()
    if (content === '') continue
    const [parent = '', position = ''] = content.split(/\s+/)
    const end = tryParseLsn(position)
    const before = forks.at(-1)
    const parentId = Number(parent)
    if (!/^\d+$/.test(parent) || end === undefined || parentId >= timeline || (before && before.timeline >= parentId)) {
      throw new HoldfastError('object-damaged', {
        message: `line ${index + 1} of the history of timeline ${timeline} is not one: '${line}'`,
        hint: 'compare it with the file of the same name in pg_wal of a server on that timeline',
        details: { timeline, line: index + 1 },
      })
    }
    forks.push({ timeline: parentId, end })
  }
  return { timeline, forks, text }
}

/** The stretches a server on this timeline has behind it, oldest first. The last has no end. */
export function timelineSpans(history: TimelineHistory): TimelineSpan[] {
  const spans: TimelineSpan[] = []
  let start = 0n
  for (const fork of history.forks) {
    spans.push({ timeline: fork.timeline, start, end: fork.end })
    start = fork.end
  }
  spans.push({ timeline: history.timeline, start, end: undefined })
  return spans
}

/** Where this timeline's line of descent left `ancestor`; undefined when it is not an ancestor. */
export function forkPoint(history: TimelineHistory, ancestor: number): Lsn | undefined {
  return history.forks.find((fork) => fork.timeline === ancestor)?.end
}

/** True when the state at `lsn` of `timeline` lies on the line that leads to `history.timeline`. */
export function isOnPath(history: TimelineHistory, timeline: number, lsn: Lsn): boolean {
  if (timeline === history.timeline) return true
  const fork = forkPoint(history, timeline)
  return fork !== undefined && lsn <= fork
}

/** For messages: `1 until 0/3000148, 2 until 0/5000000, 3`. */
export function describeHistory(history: TimelineHistory): string {
  return [...history.forks.map((fork) => `${fork.timeline} until ${formatLsn(fork.end)}`), String(history.timeline)].join(', ')
}
