import { HoldfastError } from '../../kernel/index.ts'
import { formatLsn, segmentEnd, segmentNumber, segmentStart, type Lsn } from '../lsn.ts'
import { timelineSpans, type TimelineHistory } from '../timeline-history.ts'
import type { WalArchive, WalSegment } from './contract.ts'
import { newestTimelineFrom, timelineEnd } from './timelines.ts'
import { reachAlong, type WalGap } from './coverage.ts'
import { WalWalker, type WalRecord } from './records.ts'

/** Where a base backup lies in the WAL. It is consistent from stopLsn on. */
export interface BackupPosition {
  readonly timeline: number
  readonly startLsn: Lsn
  readonly stopLsn: Lsn
  /** Microseconds since 1970. */
  readonly startedAtUs?: bigint
}

/** The states that a base backup and the archived WAL can return to. Times are microseconds since 1970, by the server's clock. */
export interface RecoverableWindow {
  readonly backup: BackupPosition
  /** The timeline to follow, and its ancestry. */
  readonly history: TimelineHistory
  readonly start: {
    readonly lsn: Lsn
    /** The state at the start has every commit up to here: an earlier time cannot be reached. */
    readonly timeUs: bigint | undefined
  }
  readonly end: {
    /** After the last complete record. */
    readonly lsn: Lsn
    /** Where the last complete record begins; undefined when the archive adds nothing to the backup. */
    readonly lastRecord: Lsn | undefined
    readonly lastCommitUs: bigint | undefined
    /** All that was committed by then is in the archive. */
    readonly completeUntilUs: bigint | undefined
  }
  readonly endedBy: 'archive-end' | 'gap' | 'damage'
  readonly gap: WalGap | undefined
}

/**
 * Where recovery from this backup can go: on the given timeline, else on the newest that descends from the backup and that the archive
 * reaches without a hole. Reads only the segments at both ends of the window. Throws `recovery-target` for a timeline that is not there or
 * does not descend from the backup.
 */
export async function recoverableWindow(
  archive: WalArchive,
  backup: BackupPosition,
  options: { readonly timeline?: number } = {},
  signal?: AbortSignal,
): Promise<RecoverableWindow> {
  const contents = await archive.contents(signal)
  const history = await chooseHistory(archive, contents, backup, options.timeline, signal)
  const backupOnly: RecoverableWindow = {
    backup,
    history,
    start: { lsn: backup.stopLsn, timeUs: backup.startedAtUs },
    end: { lsn: backup.stopLsn, lastRecord: undefined, lastCommitUs: undefined, completeUntilUs: undefined },
    endedBy: 'archive-end',
    gap: undefined,
  }
  const reach = reachAlong(history, contents.ranges, backup.stopLsn)
  const endedBy = reach.gap ? 'gap' : 'archive-end'
  const size = await archive.segmentBytes(signal)
  if (reach.end <= backup.stopLsn || size === undefined) return { ...backupOnly, endedBy, gap: reach.gap }
  const tail = await scanTail(archive, history, size, { floor: backup.stopLsn, end: reach.end }, signal)
  if (!tail.last || tail.last.end <= backup.stopLsn) {
    return { ...backupOnly, endedBy: tail.damaged ? 'damage' : endedBy, gap: reach.gap }
  }
  const head = await scanTail(archive, history, size, { floor: backup.startLsn, end: backup.stopLsn }, signal)
  const own = reach.gap ? undefined : await timelineEnd(archive, reach.timeline, contents, signal)
  const startUs = head.lastCommitUs ?? backup.startedAtUs
  return {
    backup,
    history,
    start: { lsn: backup.stopLsn, timeUs: startUs },
    end: {
      lsn: tail.last.end,
      lastRecord: tail.last.start,
      lastCommitUs: tail.lastCommitUs ?? startUs,
      completeUntilUs: own?.end === reach.end && !tail.damaged ? own.completeUntilUs : undefined,
    },
    endedBy: tail.damaged ? 'damage' : endedBy,
    gap: reach.gap,
  }
}

async function chooseHistory(
  archive: WalArchive,
  contents: Awaited<ReturnType<WalArchive['contents']>>,
  backup: BackupPosition,
  timeline: number | undefined,
  signal?: AbortSignal,
): Promise<TimelineHistory> {
  const position = { timeline: backup.timeline, lsn: backup.stopLsn }
  if (timeline === undefined) return await newestTimelineFrom(archive, contents, position, signal)
  const history = await archive.history(timeline, signal)
  const fork = history?.forks.find((fork) => fork.timeline === backup.timeline)
  if (!history && timeline === backup.timeline) return { timeline, forks: [], text: '' }
  if (history && (timeline === backup.timeline || (fork && backup.stopLsn <= fork.end))) return history
  const known = [...new Set([...contents.histories, ...contents.ranges.map((range) => range.timeline)])].sort((a, b) => a - b)
  throw new HoldfastError('recovery-target', {
    message: history
      ? `timeline ${timeline} does not descend from the backup, which ends at ${formatLsn(backup.stopLsn)} of timeline ${backup.timeline}`
      : `the archive has no history file of timeline ${timeline}`,
    hint: history
      ? 'choose an older backup, or another timeline'
      : `choose one of the timelines it knows: ${known.join(', ') || 'none'}`,
    details: { timeline, known },
  })
}

/**
 * The segment as recovery would get it: from the newest timeline on this line that had begun by its end. Older ones hold the same bytes
 * up to the fork.
 */
export async function readSegmentAlong(
  archive: WalArchive,
  history: TimelineHistory,
  segment: bigint,
  size: number,
  signal?: AbortSignal,
  { untilDamage = false }: { readonly untilDamage?: boolean } = {},
): Promise<WalSegment | undefined> {
  for (const span of timelineSpans(history).toReversed()) {
    if (segmentNumber(span.start, size) > segment) continue
    const found = await archive.readSegment(span.timeline, segment, signal, { untilDamage })
    if (found) return found
  }
  return undefined
}

interface Tail {
  readonly last: WalRecord | undefined
  readonly lastCommitUs: bigint | undefined
  readonly damaged: boolean
}

/**
 * The last complete record before `end`, and the latest end of a transaction. Looks back from the end, twice as far each time, until both are
 * found or `floor` is reached: an archive may be long, and its end is what counts.
 */
async function scanTail(
  archive: WalArchive,
  history: TimelineHistory,
  size: number,
  { floor, end }: { readonly floor: Lsn; readonly end: Lsn },
  signal?: AbortSignal,
): Promise<Tail> {
  const lowest = segmentStart(floor, size)
  for (let back = 1n; ; back *= 2n) {
    const wanted = segmentStart(end - 1n, size) - (back - 1n) * BigInt(size)
    const from = wanted > lowest ? wanted : lowest
    const tail = await scan(archive, history, size, from, end, signal)
    if (from === lowest || (tail.last && tail.lastCommitUs !== undefined)) return tail
  }
}

async function scan(
  archive: WalArchive,
  history: TimelineHistory,
  size: number,
  from: Lsn,
  end: Lsn,
  signal?: AbortSignal,
): Promise<Tail> {
  let walker: WalWalker | undefined
  let last: WalRecord | undefined
  let lastCommitUs: bigint | undefined
  for (let start = from; start < end; start += BigInt(size)) {
    const segment = await readSegmentAlong(archive, history, segmentNumber(start, size), size, signal, { untilDamage: true })
    if (!segment) {
      // Before the archive's first byte; what begins later is still worth reading.
      if (!walker) continue
      break
    }
    walker ??= new WalWalker(start, size)
    const valid = end < segmentEnd(start, size) ? Number(end - start) : size
    for (const record of walker.feed(segment.bytes.subarray(0, Math.min(valid, Number(segment.end - start))))) {
      last = record
      if (record.endedAtUs !== undefined && (lastCommitUs === undefined || record.endedAtUs > lastCommitUs)) {
        lastCommitUs = record.endedAtUs
      }
    }
    if (segment.isDamaged === true) return { last, lastCommitUs, damaged: true }
    if (walker.state === 'ended') break
  }
  return { last, lastCommitUs, damaged: walker?.state === 'ended' }
}
