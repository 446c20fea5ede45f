import { HoldfastError, isHoldfastError } from '../../kernel/index.ts'
import type { SealedArea } from '../../storage/index.ts'
import { formatLsn, historyFileName, segmentEnd, segmentNumber } from '../lsn.ts'
import { parseTimelineHistory } from '../timeline-history.ts'
import type { WalArchive } from './contract.ts'
import { compare, coveredRanges } from './coverage.ts'
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
} from './range.ts'
import { assembleSegment } from './segment.ts'

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
        return await assembleSegment(archive, { timeline, start, size, ranges, untilDamage }, signal)
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
