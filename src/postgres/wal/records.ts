import { HoldfastError } from '../../kernel/index.ts'
import { formatLsn, segmentEnd, type Lsn } from '../lsn.ts'
import { crc32c } from './crc32c.ts'

/** One complete, verified record. */
export interface WalRecord {
  readonly start: Lsn
  /** Where the next one begins: what PostgreSQL reports as the position after replaying this one. */
  readonly end: Lsn
  readonly resourceManager: number
  readonly info: number
  /** Of the transaction that wrote it; 0 for none. */
  readonly xid: number
  /** All of it, header included. */
  readonly bytes: Buffer
  /** When the transaction ended, in microseconds since 1970: for commits and aborts only. */
  readonly endedAtUs?: bigint
}

export type WalkState =
  /** All bytes given so far were read; more may follow. */
  | 'open'
  /** What follows is not WAL: zeros of an unfinished segment, or another history. */
  | 'ended'

// Layouts: PostgreSQL, src/include/access/xlog_internal.h, xlogrecord.h, xact.h. The same from 13 to 18.
const pageBytes = 8192
const shortHeaderBytes = 24
const longHeaderBytes = 40
const recordHeaderBytes = 24
const crcOffset = 20
const firstIsContinuation = 0x0001
const longHeader = 0x0002
const overwrittenContinuation = 0x0008
const xlogManager = 0
const xactManager = 1
const xlogSwitch = 0x40
/** COMMIT, ABORT, COMMIT_PREPARED, ABORT_PREPARED: the records whose time ends a recovery to a time. */
const endsOfTransactions = new Set([0x00, 0x20, 0x30, 0x40])
const blockIds = { dataShort: 255, dataLong: 254, origin: 253, topTransaction: 252 }
/** Microseconds from 1970 to 2000, where PostgreSQL's time begins. */
export const postgresEpochUs = 946_684_800_000_000n

/**
 * Walks the records of consecutive WAL. Begins at a segment's start; a record that began before it is skipped. Feed it segment after segment;
 * it holds one record at most. It stops for good at the first thing that is not WAL.
 */
export class WalWalker {
  readonly #segmentBytes: number
  #position: Lsn
  #state: WalkState = 'open'
  /** A record's beginning whose rest is on the pages to come. */
  #partial: { start: Lsn; parts: Buffer[]; have: number; total: number } | undefined
  /** Bytes of a record from before our beginning that are still to be skipped; undefined once the first page has told. */
  #skip = 0
  #first = true
  #lastStart: Lsn | undefined
  #skipUntil: Lsn | undefined

  constructor(start: Lsn, segmentBytes: number) {
    if (start % BigInt(segmentBytes) !== 0n) {
      throw new HoldfastError('internal', { message: `a WAL walk must begin with a segment, not at ${formatLsn(start)}` })
    }
    this.#position = start
    this.#segmentBytes = segmentBytes
  }

  get state(): WalkState {
    return this.#state
  }

  /** The records that these bytes complete. `bytes` must begin where the last call's ended; only the last may end within a page. */
  *feed(bytes: Buffer): Generator<WalRecord, void, undefined> {
    for (let at = 0; at < bytes.length && this.#state === 'open'; at += pageBytes) {
      yield* this.#page(bytes.subarray(at, at + pageBytes))
      this.#position += BigInt(Math.min(pageBytes, bytes.length - at))
    }
  }

  *#page(page: Buffer): Generator<WalRecord, void, undefined> {
    if (this.#skipUntil !== undefined && this.#position < this.#skipUntil) return
    this.#skipUntil = undefined
    let at = this.#header(page)
    if (at === undefined) return
    while (at < page.length) {
      if (this.#skip > 0) {
        const skipped = Math.min(this.#skip, page.length - at)
        this.#skip -= skipped
        at = align(at + skipped)
        continue
      }
      let partial = this.#partial
      if (!partial) {
        if (page.length - at < 4) return
        const total = page.readUInt32LE(at)
        // Zeros follow the last record; less than a header is none.
        if (total < recordHeaderBytes) {
          this.#state = 'ended'
          return
        }
        partial = { start: this.#position + BigInt(at), parts: [], have: 0, total }
        this.#partial = partial
      }
      const piece = page.subarray(at, at + partial.total - partial.have)
      partial.parts.push(piece)
      partial.have += piece.length
      at = align(at + piece.length)
      if (partial.have < partial.total) return
      this.#partial = undefined
      const record = this.#record(partial, this.#position + BigInt(at))
      if (!record) return
      yield record
      if (record.resourceManager === xlogManager && (record.info & 0xf0) === xlogSwitch) {
        // The rest of the segment is empty.
        this.#skipUntil = record.end
        return
      }
    }
  }

  /** Reads a page's header; where its content begins, or undefined when there is nothing more to read on it. */
  #header(page: Buffer): number | undefined {
    if (page.length < shortHeaderBytes) {
      // An archive may end within a header: its rest is still to come.
      return undefined
    }
    const info = page.readUInt16LE(2)
    const headerBytes = info & longHeader ? longHeaderBytes : shortHeaderBytes
    const isPage = page.readUInt8(1) === 0xd1 && page.readBigUInt64LE(8) === this.#position
    if (!isPage) {
      this.#state = 'ended'
      return undefined
    }
    const continues = (info & firstIsContinuation) !== 0
    const remaining = page.readUInt32LE(16)
    if (this.#first) {
      this.#first = false
      this.#skip = continues ? remaining : 0
    } else if (this.#skip > 0) {
      if (!continues || remaining !== this.#skip) this.#skip = continues ? remaining : 0
    } else if (this.#partial) {
      if (info & overwrittenContinuation) this.#partial = undefined
      else if (!continues || remaining !== this.#partial.total - this.#partial.have) {
        this.#state = 'ended'
        return undefined
      }
    } else if (continues) {
      this.#state = 'ended'
      return undefined
    }
    return headerBytes
  }

  #record({ start, parts, total }: { start: Lsn; parts: Buffer[]; total: number }, after: Lsn): WalRecord | undefined {
    const bytes = parts.length === 1 && parts[0] ? parts[0] : Buffer.concat(parts, total)
    const previous = bytes.readBigUInt64LE(8)
    const chained = this.#lastStart === undefined ? previous < start : previous === this.#lastStart
    const crc = crc32c(bytes.subarray(0, crcOffset), crc32c(bytes.subarray(recordHeaderBytes)))
    if (!chained || crc !== bytes.readUInt32LE(crcOffset)) {
      this.#state = 'ended'
      return undefined
    }
    this.#lastStart = start
    const info = bytes.readUInt8(16)
    const resourceManager = bytes.readUInt8(17)
    const switched = resourceManager === xlogManager && (info & 0xf0) === xlogSwitch
    const end = switched ? segmentEnd(after - 1n, this.#segmentBytes) : after
    const ends = resourceManager === xactManager && endsOfTransactions.has(info & 0x70)
    const endedAtUs = ends ? transactionEnd(bytes) : undefined
    return {
      start,
      end,
      resourceManager,
      info,
      xid: bytes.readUInt32LE(4),
      bytes,
      ...(endedAtUs === undefined ? {} : { endedAtUs }),
    }
  }
}

/** xact_time, the first 8 bytes of a commit's or abort's main data. These records refer to no blocks, so their headers are the simple ones. */
function transactionEnd(record: Buffer): bigint | undefined {
  let at = recordHeaderBytes
  while (at < record.length) {
    const id = record.readUInt8(at)
    if (id === blockIds.origin) at += 3
    else if (id === blockIds.topTransaction) at += 5
    else if (id === blockIds.dataShort || id === blockIds.dataLong) {
      const data = at + (id === blockIds.dataShort ? 2 : 5)
      return data + 8 <= record.length ? record.readBigInt64LE(data) + postgresEpochUs : undefined
    } else return undefined
  }
  return undefined
}

function align(offset: number): number {
  return (offset + 7) & ~7
}
