import { HoldfastError, isHoldfastError } from '../../kernel/index.ts'
import type { SealedArea } from '../../storage/index.ts'
import { formatLsn, historyFileName, segmentEnd, segmentNumber, type Lsn } from '../lsn.ts'
import { parseTimelineHistory, type TimelineHistory } from '../timeline-history.ts'
import { compare, coveredRanges, reachAlong } from './coverage.ts'
import {
  decodeRange,
  encodeRangeHeader,
  markToName,
  nameToMark,
  nameToRange,
  rangeToName,
  segmentPrefix,
  timelineFolder,
  type WalMark,
  type WalRange,
  type WalRangeFacts,
} from './range.ts'

/** What is in an archive, from its names alone. */
export interface WalArchiveContents {
  readonly ranges: readonly WalRange[]
  readonly marks: readonly WalMark[]
  /** The timelines whose history file is there. */
  readonly histories: readonly number[]
  /** What the repository spends on it. */
  readonly storedBytes: number
}

/**
 * The WAL of one database cluster in a repository (docs/formats/wal.md). Objects are immutable; ranges may overlap, and small ones are
 * replaced by larger ones while readers read: a reader that misses an object looks again.
 */
export interface WalArchive {
  readonly systemIdentifier: string
  contents(signal?: AbortSignal): Promise<WalArchiveContents>
  /**
   * Stores a range; durable when it returns. It must not cross a segment's boundary. Storing what is there already succeeds when the bytes
   * are the same; throws `identity-mismatch` when they are not: two servers then write different WAL under one identity.
   */
  put(range: WalRange, bytes: readonly Uint8Array[], facts: WalRangeFacts, signal?: AbortSignal): Promise<void>
  /** Reads a range that `contents` named. Throws `object-missing`, `object-damaged`. */
  get(range: WalRange, signal?: AbortSignal): Promise<WalRangeFacts & { readonly bytes: Buffer }>
  delete(range: WalRange, signal?: AbortSignal): Promise<void>
  /** Stores a mark, then deletes the timeline's older ones. */
  putMark(mark: WalMark, segmentBytes: number, signal?: AbortSignal): Promise<void>
  /** Bytes of one WAL segment, as found by its ranges; undefined when the segment is empty at all. */
  segmentBytes(signal?: AbortSignal): Promise<number | undefined>
  /**
   * One segment from its beginning, zeros after `end`; undefined when its first byte is not there. A hole ends it.
   * `completeUntilUs` and `sentAtUs` are those of the ranges used. Throws `object-damaged`; with `untilDamage` it ends there instead, and
   * says so.
   */
  readSegment(
    timeline: number,
    segment: bigint,
    signal?: AbortSignal,
    options?: { readonly untilDamage?: boolean },
  ): Promise<WalSegment | undefined>
  /** A timeline's ancestry; undefined when its file is not there. Timeline 1 needs none. */
  history(timeline: number, signal?: AbortSignal): Promise<TimelineHistory | undefined>
  /** Throws `identity-mismatch` when another history of the timeline is there: two servers were promoted to the same number. */
  putHistory(timeline: number, text: string, signal?: AbortSignal): Promise<void>
  /** Deletes the ranges of a segment that cannot be read, for a server that is about to send them again. Gives those. */
  dropDamaged(timeline: number, segment: bigint, signal?: AbortSignal): Promise<WalRange[]>
  /** Deletes ranges that larger ones hold whole, and joins finished segments that are in pieces. Returns how many objects went. */
  tidy(timeline: number, signal?: AbortSignal): Promise<number>
}

export interface WalSegment extends WalRangeFacts {
  readonly timeline: number
  readonly start: Lsn
  /** The position after the last byte that is really there. */
  readonly end: Lsn
  /** Always a whole segment long. */
  readonly bytes: Buffer
  /** What should follow is there, and cannot be read. Only when asked for with `untilDamage`. */
  readonly isDamaged?: boolean
}

/** Opens the archive of a cluster. Nothing is read yet; an archive without objects is an empty one. */
export function openWalArchive(area: SealedArea, systemIdentifier: string): WalArchive {
  if (!/^\d{1,20}$/.test(systemIdentifier)) {
    throw new HoldfastError('usage', { message: `'${systemIdentifier}' is not a system identifier of PostgreSQL` })
  }
  const root = `${systemIdentifier}/`
  let knownSegmentBytes: number | undefined

  async function list(prefix: string, signal?: AbortSignal) {
    const ranges: WalRange[] = []
    const marks: WalMark[] = []
    const histories: number[] = []
    let storedBytes = 0
    for await (const { name, sizeBytes } of area.list(root + prefix, signal)) {
      const local = name.slice(root.length)
      storedBytes += sizeBytes
      const range = nameToRange(local)
      const mark = nameToMark(local)
      const history = /^([0-9A-F]{8})\.history$/.exec(local)
      if (range) ranges.push(range)
      else if (mark) marks.push(mark)
      else if (history) histories.push(Number.parseInt(history[1] ?? '', 16))
    }
    ranges.sort((a, b) => a.timeline - b.timeline || compare(a.start, b.start) || compare(a.end, b.end))
    marks.sort((a, b) => a.timeline - b.timeline || compare(a.completeUntilUs, b.completeUntilUs))
    return { ranges, marks, histories: histories.sort((a, b) => a - b), storedBytes }
  }

  /** Puts what must be the same whoever writes it first. */
  async function putOnce(
    name: string,
    bytes: Uint8Array,
    same: (there: Uint8Array) => boolean,
    what: string,
    signal?: AbortSignal,
  ) {
    try {
      await area.put(root + name, bytes, { ifAbsent: true, ...(signal ? { signal } : {}) })
    } catch (error) {
      if (!isHoldfastError(error, 'already-exists')) throw error
      if (same(await area.get(root + name, signal))) return
      throw new HoldfastError('identity-mismatch', {
        message: `the archive holds another ${what} of cluster ${systemIdentifier}: two servers claim the same history`,
        hint: 'stop the one that is not the primary, or give it a repository of its own; then take a new base backup',
        details: { systemIdentifier, name },
      })
    }
  }

  const archive: WalArchive = {
    systemIdentifier,
    contents: (signal) => list('', signal),
    async put(range, bytes, facts, signal) {
      const last = range.end - 1n
      if (
        range.end <= range.start ||
        segmentNumber(range.start, facts.segmentBytes) !== segmentNumber(last, facts.segmentBytes)
      ) {
        throw new HoldfastError('internal', {
          message: `a WAL range must lie in one segment: ${formatLsn(range.start)}–${formatLsn(range.end)}`,
        })
      }
      const object = Buffer.concat([encodeRangeHeader(systemIdentifier, range, facts), ...bytes])
      decodeRange(systemIdentifier, range, object)
      const same = (there: Uint8Array) =>
        decodeRange(systemIdentifier, range, there).bytes.equals(decodeRange(systemIdentifier, range, object).bytes)
      await putOnce(rangeToName(range), object, same, `WAL range ${formatLsn(range.start)} on timeline ${range.timeline}`, signal)
      knownSegmentBytes = facts.segmentBytes
    },
    async get(range, signal) {
      const found = decodeRange(systemIdentifier, range, await area.get(root + rangeToName(range), signal))
      knownSegmentBytes = found.segmentBytes
      return found
    },
    delete: (range, signal) => area.delete(root + rangeToName(range), signal),
    async putMark(mark, segmentBytes, signal) {
      const { marks } = await list(timelineFolder(mark.timeline), signal)
      const range = { timeline: mark.timeline, start: mark.lsn, end: mark.lsn }
      const object = encodeRangeHeader(systemIdentifier, range, { segmentBytes, completeUntilUs: mark.completeUntilUs })
      await putOnce(markToName(mark), object, () => true, 'mark', signal)
      for (const old of marks) {
        if (old.completeUntilUs < mark.completeUntilUs) await area.delete(root + markToName(old), signal)
      }
    },
    async segmentBytes(signal) {
      if (knownSegmentBytes !== undefined) return knownSegmentBytes
      return await lookingAgain(async () => {
        const { ranges } = await list('', signal)
        let damage: unknown
        for (const range of ranges.toReversed()) {
          try {
            return (await archive.get(range, signal)).segmentBytes
          } catch (error) {
            if (!isHoldfastError(error, 'object-damaged')) throw error
            damage = error
          }
        }
        if (damage !== undefined) throw damage
        return undefined
      })
    },
    async readSegment(timeline, segment, signal, { untilDamage = false } = {}) {
      const size = await archive.segmentBytes(signal)
      if (size === undefined) return undefined
      return await lookingAgain(async () => {
        const start = segment * BigInt(size)
        const { ranges } = await list(segmentPrefix(timeline, start, size), signal)
        return await assemble(archive, { timeline, start, size, ranges, untilDamage }, signal)
      })
    },
    async history(timeline, signal) {
      if (timeline === 1) return { timeline, forks: [], text: '' }
      try {
        const object = await area.get(root + historyFileName(timeline), signal)
        return parseTimelineHistory(timeline, Buffer.from(object).toString('utf8'))
      } catch (error) {
        if (isHoldfastError(error, 'object-missing')) return undefined
        throw error
      }
    },
    async putHistory(timeline, text, signal) {
      parseTimelineHistory(timeline, text)
      const bytes = Buffer.from(text)
      await putOnce(historyFileName(timeline), bytes, (there) => bytes.equals(there), `history of timeline ${timeline}`, signal)
    },
    async dropDamaged(timeline, segment, signal) {
      const size = await archive.segmentBytes(signal)
      if (size === undefined) return []
      const { ranges } = await list(segmentPrefix(timeline, segment * BigInt(size), size), signal)
      const dropped: WalRange[] = []
      for (const range of ranges) {
        try {
          await archive.get(range, signal)
        } catch (error) {
          if (!isHoldfastError(error, 'object-damaged')) throw error
          await archive.delete(range, signal)
          dropped.push(range)
        }
      }
      return dropped
    },
    async tidy(timeline, signal) {
      const size = await archive.segmentBytes(signal)
      if (size === undefined) return 0
      let gone = 0
      const { ranges } = await list(timelineFolder(timeline), signal)
      const covered = coveredRanges(ranges)
      for (const range of covered) {
        await archive.delete(range, signal)
        gone++
      }
      const pieces = Map.groupBy(
        ranges.filter((range) => !covered.includes(range)),
        (range) => segmentNumber(range.start, size),
      )
      for (const [segment, parts] of pieces) {
        if (parts.length < 2) continue
        // What is damaged is not joined: a segment that lacks bytes must not look whole.
        const whole = await archive.readSegment(timeline, segment, signal, { untilDamage: true })
        if (!whole || whole.end !== segmentEnd(whole.start, size)) continue
        await archive.put({ timeline, start: whole.start, end: whole.end }, [whole.bytes], whole, signal)
        for (const range of parts) await archive.delete(range, signal)
        gone += parts.length
      }
      return gone
    },
  }
  return archive
}

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

/** Ranges go while larger ones take their place: what was just listed may be missing a moment later, and its bytes are elsewhere. */
async function lookingAgain<T>(attempt: () => Promise<T>): Promise<T> {
  for (let left = 5; ; left--) {
    try {
      return await attempt()
    } catch (error) {
      if (left === 0 || !isHoldfastError(error, 'object-missing')) throw error
    }
  }
}

interface Assembly {
  readonly timeline: number
  readonly start: Lsn
  readonly size: number
  readonly ranges: readonly WalRange[]
  readonly untilDamage: boolean
}

async function assemble(
  archive: WalArchive,
  { timeline, start, size, ranges, untilDamage }: Assembly,
  signal?: AbortSignal,
): Promise<WalSegment | undefined> {
  const damaged = new Set<WalRange>()
  const bytes = Buffer.alloc(size)
  let end = start
  let sentAtUs: bigint | undefined
  let completeUntilUs: bigint | undefined
  for (;;) {
    const next = ranges
      .filter((range) => range.timeline === timeline && range.start <= end && range.end > end && !damaged.has(range))
      .reduce<WalRange | undefined>((best, range) => (best && best.end >= range.end ? best : range), undefined)
    if (!next) break
    let found: Awaited<ReturnType<WalArchive['get']>>
    try {
      found = await archive.get(next, signal)
    } catch (error) {
      if (!untilDamage || !isHoldfastError(error, 'object-damaged')) throw error
      // Another range may hold the same bytes.
      damaged.add(next)
      continue
    }
    found.bytes.copy(bytes, Number(next.start - start))
    end = next.end
    sentAtUs = latest(sentAtUs, found.sentAtUs)
    completeUntilUs = latest(completeUntilUs, found.completeUntilUs)
  }
  const isDamaged = [...damaged].some((range) => range.end > end)
  if (end === start && !isDamaged) return undefined
  return { timeline, start, end, bytes, segmentBytes: size, sentAtUs, completeUntilUs, ...(isDamaged ? { isDamaged } : {}) }
}

export function latest(a: bigint | undefined, b: bigint | undefined): bigint | undefined {
  return a === undefined || (b !== undefined && b > a) ? b : a
}
