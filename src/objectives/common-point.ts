import type { DataEvidence } from './evidence.ts'
import { soundSnapshots, usableWal } from './recoverable-point.ts'

/** The states that parts of data, of one service or several, are brought back to together. */
export interface CommonPoint {
  /** The oldest of them: what is lost is what came after it. */
  readonly time: Date
  /** The part that has it; of several the first. */
  readonly worst: DataEvidence
  /** From the oldest of them to the newest, in ms. */
  readonly spreadMs: number
}

/**
 * The newest states of all parts that are no further apart than `maxSpreadMs`, among what is dated no later than `limit` (ms since 1970). Where a part can
 * go back to any moment (WAL), it goes back as far as the others need. Undefined when there are none, or a part has no state at all.
 */
export function commonPoint(parts: readonly DataEvidence[], limit: number, maxSpreadMs = Infinity): CommonPoint | undefined {
  const reaches = parts.map((part) => reachOf(part, limit))
  const moments = new Set(reaches.flatMap(({ states, ranges }) => [...states, ...ranges.map(({ to }) => to)]))
  // Looking further back makes every state older: the first that fits loses the least.
  for (const moment of [...moments].toSorted((a, b) => b - a)) {
    const states = reaches.map((reach) => newestUpTo(reach, moment))
    const oldest = Math.min(...states)
    // A part without a state so far back has none further back.
    if (oldest === -Infinity) return undefined
    const worst = parts[states.indexOf(oldest)]
    const spreadMs = Math.max(...states) - oldest
    if (worst !== undefined && spreadMs <= maxSpreadMs) return { time: new Date(oldest), worst, spreadMs }
  }
  return undefined
}

/** What a part can be brought back to: single states, and by WAL every moment of a range. In ms since 1970. */
interface Reach {
  readonly states: readonly number[]
  readonly ranges: readonly { readonly from: number; readonly to: number }[]
}

function reachOf(data: DataEvidence, limit: number): Reach {
  const sound = soundSnapshots(data, limit)
  return {
    states: sound.map(({ time }) => time.getTime()),
    ranges: usableWal(data, sound, limit).map(({ wal, base }) => ({ from: base.time.getTime(), to: wal.coveredUntil.getTime() })),
  }
}

function newestUpTo({ states, ranges }: Reach, moment: number): number {
  return Math.max(
    ...states.filter((state) => state <= moment),
    ...ranges.filter(({ from }) => from <= moment).map(({ to }) => Math.min(to, moment)),
    -Infinity,
  )
}
