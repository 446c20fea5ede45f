import type { Lsn } from '../lsn.ts'
import { formatLsn, segmentEnd, segmentStart } from '../lsn.ts'
import { HoldfastError } from '../../kernel/index.ts'
import type { WalArchive } from './contract.ts'
import type { WalRange } from './range.ts'

/** When this many pieces of about one size have gathered they become one, so that a slow writer's segment does not end as thousands. */
const piecesPerMerge = 64

export interface WalWriterOptions {
  readonly archive: WalArchive
  readonly timeline: number
  readonly segmentBytes: number
  /** A segment's start, where the server begins to send. */
  readonly start: Lsn
  /** Up to here the archive has the bytes already; what comes before is compared with `known`, not stored again. */
  readonly durable: Lsn
  /** The archive's bytes from `start` to `durable`, or to the segment's end. */
  readonly known: Uint8Array
  /** The small ranges that are in the archive in this segment: merged with what follows, then deleted. */
  readonly pieces: readonly WalRange[]
  /** Called after each durable put. */
  readonly onDurable: (durable: Lsn) => void
  /** A put failed: nothing more is taken or acknowledged. */
  readonly onFailed: (error: unknown) => void
  /** A merge that failed loses nothing: the pieces stay. It is tried again when the archive is next tidied. */
  readonly onMergeFailed: (error: unknown) => void
}

interface Piece extends WalRange {
  readonly level: number
}

/**
 * Group commit: while one put is in flight what arrives is gathered, and becomes the next put. Nothing is acknowledged before its put has
 * returned. Puts never overlap and never cross a segment's boundary, so the archive has no hole whenever this process dies.
 */
export class WalWriter {
  readonly #options: WalWriterOptions
  #queue: Buffer[] = []
  #queuedBytes = 0
  #received: Lsn
  #durable: Lsn
  #sentAtUs: bigint | undefined
  #completeUntilUs: bigint | undefined
  #mark: bigint | undefined
  #storedCompleteUntilUs = 0n
  #running: Promise<void> | undefined
  #busySinceMs: number | undefined
  #failure: unknown
  #segment: Buffer
  #segmentStart: Lsn
  #pieces: Piece[]
  #merging: Promise<void> = Promise.resolve()
  #waiters: (() => void)[] = []

  constructor(options: WalWriterOptions) {
    this.#options = options
    this.#received = options.start
    this.#durable = options.durable
    this.#segmentStart = options.start
    this.#segment = Buffer.alloc(options.segmentBytes)
    this.#segment.set(options.known)
    this.#pieces = options.pieces.map((piece) => ({ ...piece, level: 0 }))
  }

  /** Everything before this is stored. */
  get durable(): Lsn {
    return this.#durable
  }

  get received(): Lsn {
    return this.#received
  }

  get queuedBytes(): number {
    return this.#queuedBytes
  }

  /** Microseconds since 1970: the newest such time that is stored, with a range or a mark. */
  get storedCompleteUntilUs(): bigint {
    return this.#storedCompleteUntilUs
  }

  /** How long the put in flight has been under way; undefined when there is none. */
  busyForMs(now: number): number | undefined {
    return this.#busySinceMs === undefined ? undefined : now - this.#busySinceMs
  }

  /**
   * Takes what the server sent. Throws `wal-gap` when bytes are missing before it, `identity-mismatch` when it differs from what the archive
   * has at the same place, and the error of a failed put.
   */
  append(start: Lsn, bytes: Buffer, sentAtUs: bigint): void {
    if (this.#failure !== undefined) throw this.#failure
    if (start > this.#received) {
      throw new HoldfastError('wal-gap', {
        message: `the server sent WAL from ${formatLsn(start)}, but ${formatLsn(this.#received)} was to come next on timeline ${this.#options.timeline}`,
        hint: 'the receiver connects again and asks for the missing part',
        retryable: true,
        details: { timeline: this.#options.timeline, from: formatLsn(this.#received), to: formatLsn(start) },
      })
    }
    const end = start + BigInt(bytes.length)
    if (end <= this.#received) return
    let fresh = start < this.#received ? bytes.subarray(Number(this.#received - start)) : bytes
    const from = this.#received
    this.#received = end
    this.#sentAtUs = sentAtUs
    if (from < this.#options.durable) fresh = this.#compare(from, fresh)
    if (fresh.length === 0) return
    this.#queue.push(fresh)
    this.#queuedBytes += fresh.length
    this.#run()
  }

  /** The server had nothing beyond what it sent so far at this moment. With `mark`, that is stored even when no WAL follows. */
  completeUntil(timeUs: bigint, mark: boolean): void {
    this.#completeUntilUs = timeUs
    if (!mark || this.#queuedBytes > 0 || this.#failure !== undefined || this.#received < this.#durable) return
    this.#mark = timeUs
    this.#run()
  }

  /** Resolves when at most `bytes` are waiting; throws what made a put fail. */
  async drained(bytes = 0): Promise<void> {
    const waiting = () => this.#queuedBytes > bytes || (bytes === 0 && this.#running !== undefined)
    while (this.#failure === undefined && waiting()) {
      const { promise, resolve } = Promise.withResolvers<void>()
      this.#waiters.push(resolve)
      await promise
    }
    if (this.#failure !== undefined) throw this.#failure
  }

  /** Resolves when nothing is in flight any more, failed or not. Nothing is taken after this. */
  async settled(): Promise<void> {
    this.#failure ??= new HoldfastError('interrupted', { message: 'the WAL writer was ended' })
    await this.#running
    await this.#merging
  }

  #compare(from: Lsn, bytes: Buffer): Buffer {
    const known = this.#options.durable - from
    const overlap = bytes.subarray(0, known < BigInt(bytes.length) ? Number(known) : bytes.length)
    const at = Number(from - this.#segmentStart)
    if (!overlap.equals(this.#segment.subarray(at, at + overlap.length))) {
      throw new HoldfastError('identity-mismatch', {
        message: `the server's WAL before ${formatLsn(from + BigInt(overlap.length))} on timeline ${this.#options.timeline} differs from the archive's: it is not the server that was archived before`,
        hint: 'a copy restored without promotion keeps its identity: promote it (a new timeline), or give it a repository of its own',
        details: { timeline: this.#options.timeline, lsn: formatLsn(from) },
      })
    }
    return bytes.subarray(overlap.length)
  }

  #run(): void {
    this.#running ??= this.#work().finally(() => {
      this.#running = undefined
      this.#wake()
    })
  }

  async #work(): Promise<void> {
    try {
      while ((this.#queue.length > 0 || this.#mark !== undefined) && this.#failure === undefined) {
        this.#busySinceMs = performance.now()
        if (this.#queue.length > 0) await this.#putNext()
        else await this.#putMark()
        this.#busySinceMs = undefined
        this.#wake()
      }
    } catch (error) {
      this.#failure ??= error
      this.#options.onFailed(error)
    } finally {
      this.#busySinceMs = undefined
    }
  }

  async #putMark(): Promise<void> {
    const { archive, timeline, segmentBytes } = this.#options
    const completeUntilUs = this.#mark
    this.#mark = undefined
    if (completeUntilUs === undefined) return
    await archive.putMark({ timeline, lsn: this.#durable, completeUntilUs }, segmentBytes)
    this.#storedCompleteUntilUs = completeUntilUs
  }

  async #putNext(): Promise<void> {
    const { archive, timeline, segmentBytes } = this.#options
    const start = this.#durable
    const boundary = segmentEnd(start, segmentBytes)
    const bytes = this.#take(Number(boundary - start))
    const size = bytes.reduce((sum, piece) => sum + piece.length, 0)
    const end = start + BigInt(size)
    // What is still queued arrived later than these bytes: the archive is complete up to that time only when nothing is.
    const completeUntilUs = this.#queue.length === 0 ? this.#completeUntilUs : undefined
    if (segmentStart(start, segmentBytes) !== this.#segmentStart) {
      this.#segmentStart = segmentStart(start, segmentBytes)
      this.#segment = Buffer.alloc(segmentBytes)
      this.#pieces = []
    }
    const range = { timeline, start, end }
    await archive.put(range, bytes, { segmentBytes, sentAtUs: this.#sentAtUs, completeUntilUs })
    let at = Number(start - this.#segmentStart)
    for (const piece of bytes) {
      piece.copy(this.#segment, at)
      at += piece.length
    }
    this.#durable = end
    if (completeUntilUs !== undefined) this.#storedCompleteUntilUs = completeUntilUs
    this.#options.onDurable(end)
    this.#pieces.push({ ...range, level: 0 })
    this.#merge(end === boundary, { sentAtUs: this.#sentAtUs, completeUntilUs })
  }

  /** Up to `limit` bytes from the queue's front. */
  #take(limit: number): Buffer[] {
    const taken: Buffer[] = []
    let left = limit
    while (left > 0) {
      const next = this.#queue.shift()
      if (!next) break
      const piece = next.subarray(0, left)
      if (piece.length < next.length) this.#queue.unshift(next.subarray(piece.length))
      taken.push(piece)
      left -= piece.length
    }
    this.#queuedBytes -= limit - left
    return taken
  }

  /** Joins pieces into one, in the background; the pieces go once it is durable. */
  #merge(complete: boolean, times: { sentAtUs: bigint | undefined; completeUntilUs: bigint | undefined }): void {
    const { archive, segmentBytes, timeline, onMergeFailed } = this.#options
    const level = this.#pieces.at(-1)?.level ?? 0
    const from = complete ? 0 : this.#pieces.findLastIndex((piece) => piece.level !== level) + 1
    const parts = this.#pieces.slice(from)
    const [first] = parts
    const last = parts.at(-1)
    if (!first || !last || parts.length < (complete ? 2 : piecesPerMerge)) return
    const start = complete ? this.#segmentStart : first.start
    // A segment whose beginning is not in the archive cannot be whole.
    if (complete && first.start > this.#segmentStart) return
    const merged: Piece = { timeline, start, end: last.end, level: level + 1 }
    const bytes = this.#segment.subarray(Number(start - this.#segmentStart), Number(last.end - this.#segmentStart))
    this.#pieces.splice(from, parts.length, merged)
    this.#merging = this.#merging
      .then(async () => {
        await archive.put(merged, [bytes], { segmentBytes, ...times })
        for (const part of parts) if (part.start !== merged.start || part.end !== merged.end) await archive.delete(part)
      })
      .catch(onMergeFailed)
    // Merged pieces of one level may now be enough for the next.
    if (!complete) this.#merge(false, times)
  }

  #wake(): void {
    const waiters = this.#waiters
    this.#waiters = []
    for (const wake of waiters) wake()
  }
}
