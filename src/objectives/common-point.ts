import type { DataEvidence } from './evidence.ts'
import { incompleteness, soundSnapshots, usableWal, type PointDoubt } from './recoverable-point.ts'

/** What a part of the data is brought back to. */
export interface PartState {
  readonly part: DataEvidence
  readonly time: Date
  /** Reached by replaying WAL beyond a snapshot. */
  readonly byWal: boolean
  /** There is no newer one. */
  readonly isNewest: boolean
  /** A reason not to trust it fully. */
  readonly doubt?: PointDoubt
}

/** The states that parts of data, of one service or several, are brought back to together. */
export interface CommonPoint {
  /** Of each part, in their order. */
  readonly states: readonly PartState[]
  /** The oldest of them, of several the first: what is lost is what came after it. */
  readonly worst: PartState
  /** From the oldest of them to the newest, in ms. */
  readonly spreadMs: number
}

/**
 * The newest states of all parts that are no further apart than `maxSpreadMs`, among what is dated no later than `limit` (ms since 1970). Where a part can
 * go back to any moment (WAL), it goes back as far as the others need. Undefined when there are none, or a part has no state at all.
 */
export function commonPoint(parts: readonly DataEvidence[], limit: number, maxSpreadMs = Infinity): CommonPoint | undefined {
  const reaches = parts.map((part) => ({ part, ranges: rangesOf(part, limit) }))
  const moments = new Set(reaches.flatMap(({ ranges }) => ranges.map(({ to }) => to)))
  // Looking further back makes every state older: the first that fits loses the least.
  for (const moment of [...moments].toSorted((a, b) => b - a)) {
    const states = reaches.flatMap(({ part, ranges }) => stateUpTo(part, ranges, moment))
    // A part without a state so far back has none further back.
    if (states.length < parts.length) return undefined
    const [worst] = states.toSorted((a, b) => a.time.getTime() - b.time.getTime())
    const newest = Math.max(...states.map(({ time }) => time.getTime()))
    if (worst !== undefined && newest - worst.time.getTime() <= maxSpreadMs)
      return { states, worst, spreadMs: newest - worst.time.getTime() }
  }
  return undefined
}

/** What a part can be brought back to: a snapshot, or by WAL every moment from there on. In ms since 1970. */
interface Range extends Pick<PartState, 'byWal' | 'doubt'> {
  readonly from: number
  readonly to: number
}

function rangesOf(data: DataEvidence, limit: number): Range[] {
  const sound = soundSnapshots(data, limit)
  const byWal = usableWal(data, sound, limit).map(({ wal, base }) => ({
    from: base.time.getTime(),
    to: wal.coveredUntil.getTime(),
    byWal: true,
    ...incompleteness(base),
  }))
  const lacksWal = data.walDeclared && byWal.length === 0
  const bySnapshot = sound.map((snapshot) => ({
    from: snapshot.time.getTime(),
    to: snapshot.time.getTime(),
    byWal: false,
    ...incompleteness(snapshot),
    ...(lacksWal ? { doubt: 'wal-not-archived' as const } : {}),
  }))
  return [...bySnapshot, ...byWal]
}

/** The newest; of equal ones one without a doubt. */
function stateUpTo(part: DataEvidence, ranges: readonly Range[], moment: number): PartState[] {
  const [best] = ranges
    .filter(({ from }) => from <= moment)
    .map(({ to, byWal, doubt }) => ({ time: Math.min(to, moment), byWal, doubt }))
    .toSorted((a, b) => b.time - a.time || Number(a.doubt !== undefined) - Number(b.doubt !== undefined))
  if (best === undefined) return []
  const { time, byWal, doubt } = best
  const isNewest = ranges.every(({ to }) => to <= time)
  return [{ part, time: new Date(time), byWal, isNewest, ...(doubt === undefined ? {} : { doubt }) }]
}
