import type { WalRecord } from '../wal/records.ts'

/** A relation's file, as WAL names it: oids of tablespace and database (0: shared by all), and the number of the file. */
export interface RelationFile {
  readonly tablespace: number
  readonly database: number
  readonly file: number
}

export interface RowChange {
  readonly relation: RelationFile
  readonly kind: 'inserted' | 'updated' | 'deleted'
  readonly rows: number
}

export interface TransactionEnd {
  /** Of a prepared transaction its own, not that of who ended it. */
  readonly xid: number
  readonly committed: boolean
  readonly subtransactions: readonly number[]
}

// PostgreSQL, src/include/access/rmgrlist.h, heapam_xlog.h, xact.h, xlogrecord.h, storage_xlog.h. The same from 15 to 18 unless said.
const managers = { xact: 1, storage: 2, heap2: 9, heap: 10 }
const heapChanges: Readonly<Record<number, RowChange['kind']>> = {
  0x00: 'inserted',
  0x10: 'deleted',
  0x20: 'updated',
  0x40: 'updated',
}
const multiInsert = 0x50
const storageCreate = 0x10
const transactionEnds: Readonly<Record<number, boolean>> = { 0x00: true, 0x20: false, 0x30: true, 0x40: false }
const hasInfo = 0x80
const info = { database: 1, subtransactions: 2, relations: 4, invalidations: 8, twoPhase: 16, droppedStatistics: 256 }
const headerBytes = 24
const image = { present: 0x10, sameRelation: 0x80, hole: 0x01, compressed: 0x1c }

/** The rows of a table that a record changes; undefined for every other record. */
export function rowChange(record: WalRecord): RowChange | undefined {
  const operation = record.info & 0x70
  if (record.resourceManager === managers.heap) {
    const kind = heapChanges[operation]
    if (kind === undefined) return undefined
    const { relation } = contents(record.bytes)
    return relation && { relation, kind, rows: 1 }
  }
  if (record.resourceManager !== managers.heap2 || operation !== multiInsert) return undefined
  const { relation, data } = contents(record.bytes)
  // xl_heap_multi_insert: flags, then the count aligned to two bytes.
  return relation && { relation, kind: 'inserted', rows: data.length >= 4 ? data.readUInt16LE(2) : 1 }
}

/** The file that a record creates: of a new table, or of one that is rewritten. */
export function createdFile(record: WalRecord): RelationFile | undefined {
  if (record.resourceManager !== managers.storage || (record.info & 0xf0) !== storageCreate) return undefined
  const { data } = contents(record.bytes)
  return data.length >= 12 ? readRelation(data, 0) : undefined
}

/** How a transaction ended; undefined for every other record. `version`: the major one, as dropped statistics grew with 18. */
export function transactionEnd(record: WalRecord, version: number): TransactionEnd | undefined {
  const committed = record.resourceManager === managers.xact ? transactionEnds[record.info & 0x70] : undefined
  if (committed === undefined) return undefined
  const { data } = contents(record.bytes)
  let at = 8
  const take = (bytes: number) => (at += bytes) - bytes
  const flags = (record.info & hasInfo) !== 0 ? data.readUInt32LE(take(4)) : 0
  const skipList = (flag: number, itemBytes: number) => {
    if (flags & flag) take(data.readInt32LE(take(4)) * itemBytes)
  }
  if (flags & info.database) take(8)
  const subtransactions: number[] = []
  if (flags & info.subtransactions) {
    for (let left = data.readInt32LE(take(4)); left > 0; left--) subtransactions.push(data.readUInt32LE(take(4)))
  }
  skipList(info.relations, 12)
  skipList(info.droppedStatistics, version >= 18 ? 16 : 12)
  skipList(info.invalidations, 16)
  const xid = flags & info.twoPhase ? data.readUInt32LE(take(4)) : record.xid
  return { xid, committed, subtransactions }
}

/** A record's first block reference and its main data (PostgreSQL, DecodeXLogRecord). */
function contents(bytes: Buffer): { readonly relation: RelationFile | undefined; readonly data: Buffer } {
  let relation: RelationFile | undefined
  let at = headerBytes
  let dataBytes = 0
  let mainBytes = 0
  while (bytes.length - at > dataBytes) {
    const id = bytes.readUInt8(at++)
    if (id === 255) {
      mainBytes = bytes.readUInt8(at++)
      break
    } else if (id === 254) {
      mainBytes = bytes.readUInt32LE(at)
      at += 4
      break
    } else if (id === 253) at += 2
    else if (id === 252) at += 4
    else {
      const flags = bytes.readUInt8(at)
      dataBytes += bytes.readUInt16LE(at + 1)
      at += 3
      if (flags & image.present) {
        dataBytes += bytes.readUInt16LE(at)
        const imageInfo = bytes.readUInt8(at + 4)
        at += 5
        if (imageInfo & image.compressed && imageInfo & image.hole) at += 2
      }
      if (!(flags & image.sameRelation)) {
        relation ??= readRelation(bytes, at)
        at += 12
      }
      at += 4
    }
  }
  return { relation, data: bytes.subarray(bytes.length - mainBytes) }
}

function readRelation(bytes: Buffer, at: number): RelationFile {
  return { tablespace: bytes.readUInt32LE(at), database: bytes.readUInt32LE(at + 4), file: bytes.readUInt32LE(at + 8) }
}
