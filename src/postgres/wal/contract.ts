import type { Lsn } from '../lsn.ts'
import type { TimelineHistory } from '../timeline-history.ts'
import type { WalMark, WalRange, WalRangeFacts } from './range.ts'

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
