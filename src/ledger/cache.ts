import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { cacheLossOf, inMemory, openCacheFile, removeCacheFile, rollBack } from './cache-file.ts'
import type { LedgerHead } from './head-file.ts'
import { judged, type Entry, type RecordDamage } from './read.ts'
import { decodeKnown, type LedgerRecord } from './record.ts'
import { restoredSnapshots, subjectOf, usefulnessOf } from './usefulness.ts'
import { signatureState } from './writers.ts'

/**
 * What this machine has read of a ledger. The repository stays the truth: whatever is wrong with the cache, it is made anew from there.
 * Calls do not wait for anything but other processes that write to the same file, each for a moment. Any of them may throw what SQLite says of
 * a file that is damaged, full or held by others (cacheLossOf).
 */
export interface LedgerCache {
  /** Names and sizes of the objects that it was read from. */
  objects(): Map<string, number>
  /** Takes in what was read in some places, and the objects that they were read from. The same may be taken in again, or by two at once. */
  take(entries: readonly Entry[], objects: ReadonlyMap<string, number>): void
  /** Objects that are gone. */
  forget(names: readonly string[]): void
  /** What the records of each kind and service are of use for: keys that `useKey` gives. */
  uses(): ReadonlySet<string>
  /** The rows that answer `where`, which is SQL over the columns of `record`. */
  rows(where: string, values: readonly (string | number | null)[]): CachedRow[]
  damage(): DamagedRow[]
  writers(): CachedWriter[]
  head(): LedgerHead | undefined
  /** The first record that one of these keys signed, or seems to have signed; of any key, where none is given. */
  signingBegan(keys: readonly string[]): number | undefined
  /** The record of a row; undefined where the cache is wrong. `whole`: the body of a known kind is that kind's and nothing else. */
  record(row: CachedRow, shape: 'whole' | 'as-written'): LedgerRecord | undefined
  /** Whether its writer signed it: looked at once. */
  isSigned(row: CachedRow, record: LedgerRecord): boolean
  /** Throws everything away. Where there is no place for a file any more, it is kept in memory. */
  reset(): void
  close(): void
}

export interface CachedRow {
  readonly seq: number
  readonly hash: string
  /** Of the record, in ms since 1970. */
  readonly time: number
  /** 1: of use for something, or about something, which only a record of a known kind and shape is. */
  readonly known: number
  readonly signed: number
  readonly text: string
}

export interface DamagedRow {
  readonly seq: number
  readonly damage: RecordDamage
}

/** An empty key stands for unsigned records. */
export interface CachedWriter {
  readonly key: string
  readonly records: number
  readonly first: Date
  readonly last: Date
  readonly host: string
}

/** Null: records about no service. */
export function useKey(kind: string, service: string | null, useful: string): string {
  return JSON.stringify([kind, service, useful])
}

const columns = 'seq, hash, time, signed, useful IS NOT NULL OR subject IS NOT NULL AS known, text'

export function openLedgerCache(path: string = inMemory): LedgerCache {
  let { database, statements } = openPrepared(path)
  const selections = new Map<string, StatementSync>()
  /** Rows whose signature was looked at, to be noted with the next change: reading must not wait for writers. */
  const looked = new Map<number, number>()

  const inTransaction = (work: () => void) => {
    database.exec('BEGIN IMMEDIATE')
    try {
      work()
      database.exec('COMMIT')
    } catch (error) {
      rollBack(database)
      throw error
    }
  }

  const removeRecord = (seq: number) => {
    const row = statements.get.get(seq)
    if (row === undefined) return
    statements.remove.run(seq)
    statements.removeRestored.run(seq)
    statements.countDown.run(String(row.writer ?? ''))
  }

  const setDamage = (seq: number, damage: RecordDamage) => {
    removeRecord(seq)
    statements.putDamage.run(seq, JSON.stringify(damage))
  }

  const takeOne = (entry: Entry) => {
    const { seq } = entry
    const above = statements.get.get(seq + 1)
    const { record, damage } = judged(entry, undefined)
    if (damage) {
      setDamage(seq, damage)
      return
    }
    const before = statements.get.get(seq)
    if (before?.hash !== record.hash) {
      removeRecord(seq)
      const { hash, prev, service = null, time, host, writer, canonical } = record
      const kind = record.kind === 'unknown' ? record.originalKind : record.kind
      const [subject, useful] = [subjectOf(record) ?? null, usefulnessOf(record) ?? null]
      statements.put.run(seq, hash, prev, kind, service, time.getTime(), subject, useful, writer?.key ?? null, canonical)
      for (const snapshot of restoredSnapshots(record)) statements.putRestored.run(seq, snapshot)
      statements.countUp.run(writer?.key ?? '', time.getTime(), time.getTime(), host)
    }
    statements.removeDamage.run(seq)
    // The one above was written after another one; and this one may have been written after another than what stands below.
    if (above && above.prev !== record.hash) setDamage(seq, { code: 'altered', because: 'next-disagrees', hash: record.hash })
    const below = statements.get.get(seq - 1)
    if (below && below.hash !== record.prev)
      setDamage(seq - 1, { code: 'altered', because: 'next-disagrees', hash: String(below.hash) })
  }

  return {
    objects: () => new Map(statements.objects.all().map(({ name, size }) => [String(name), Number(size)])),
    take(entries, objects) {
      inTransaction(() => {
        for (const entry of entries) takeOne(entry)
        for (const [name, size] of objects) statements.putObject.run(name, size)
      })
    },
    forget(names) {
      inTransaction(() => {
        for (const name of names) statements.removeObject.run(name)
      })
    },
    uses: () =>
      new Set(
        statements.uses.all().map(({ kind, service, useful }) => useKey(String(kind), service as string | null, String(useful))),
      ),
    rows(where, values) {
      const statement = selections.get(where) ?? database.prepare(`SELECT ${columns} FROM record WHERE ${where}`)
      selections.set(where, statement)
      return statement.all(...values) as unknown as CachedRow[]
    },
    damage: () =>
      statements.damage
        .all()
        .map(({ seq, damage }) => ({ seq: Number(seq), damage: JSON.parse(String(damage)) as RecordDamage })),
    writers: () =>
      statements.writers.all().map(({ key, records, first, last, host }) => ({
        key: String(key),
        records: Number(records),
        first: new Date(Number(first)),
        last: new Date(Number(last)),
        host: String(host),
      })),
    head() {
      const row = statements.head.get()
      return row && { seq: Number(row.seq), hash: String(row.hash) }
    },
    signingBegan(keys) {
      const found = keys.length === 0 ? [statements.firstSigned.get()?.seq] : keys.map((key) => statements.firstBy.get(key)?.seq)
      const seqs = found.flatMap((seq) => (seq === undefined || seq === null ? [] : [Number(seq)]))
      return seqs.length === 0 ? undefined : Math.min(...seqs)
    },
    record: ({ text, hash, known }, shape) => decodeKnown(text, hash, shape === 'as-written' && known === 1),
    isSigned({ seq, signed }, record) {
      if (signed !== 0) return signed === 1
      const isSigned = signatureState(record) === 'signed'
      looked.set(seq, isSigned ? 1 : 2)
      return isSigned
    },
    reset() {
      database.close()
      const opened = openAnew(path)
      database = opened.database
      statements = opened.statements
      looked.clear()
      selections.clear()
    },
    close() {
      try {
        if (looked.size > 0)
          inTransaction(() => {
            for (const [seq, signed] of looked) statements.setSigned.run(signed, seq)
          })
      } catch {
        // Looked at again next time.
      }
      database.close()
    },
  }
}

/** Opens a cache, makes it anew where it is not what was written, and does without a file where there can be none. */
function openPrepared(path: string) {
  try {
    return prepared(openCacheFile(path))
  } catch (error) {
    const loss = cacheLossOf(error)
    if (loss === undefined) throw error
    return loss === 'wrong' ? openAnew(path) : prepared(openCacheFile(inMemory))
  }
}

function openAnew(path: string) {
  try {
    removeCacheFile(path)
    return prepared(openCacheFile(path))
  } catch (error) {
    if (path === inMemory || cacheLossOf(error) === undefined) throw error
    return prepared(openCacheFile(inMemory))
  }
}

function prepared(database: DatabaseSync) {
  try {
    return { database, statements: prepareAll(database) }
  } catch (error) {
    database.close()
    throw error
  }
}

function prepareAll(database: DatabaseSync) {
  const prepare = (sql: string) => database.prepare(sql)
  return {
    get: prepare('SELECT seq, hash, prev, writer FROM record WHERE seq = ?'),
    put: prepare(
      'INSERT INTO record (seq, hash, prev, kind, service, time, subject, useful, writer, text) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)',
    ),
    remove: prepare('DELETE FROM record WHERE seq = ?'),
    putRestored: prepare('INSERT INTO restored VALUES (?, ?)'),
    removeRestored: prepare('DELETE FROM restored WHERE seq = ?'),
    setSigned: prepare('UPDATE record SET signed = ? WHERE seq = ?'),
    objects: prepare('SELECT name, size FROM object'),
    putObject: prepare('INSERT INTO object VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET size = excluded.size'),
    removeObject: prepare('DELETE FROM object WHERE name = ?'),
    damage: prepare('SELECT seq, damage FROM damage ORDER BY seq'),
    putDamage: prepare('INSERT INTO damage VALUES (?, ?) ON CONFLICT (seq) DO UPDATE SET damage = excluded.damage'),
    removeDamage: prepare('DELETE FROM damage WHERE seq = ?'),
    // The index alone answers it.
    uses: prepare('SELECT DISTINCT kind, service, useful FROM record INDEXED BY record_newest WHERE useful IS NOT NULL'),
    writers: prepare('SELECT * FROM writer WHERE records > 0 ORDER BY first'),
    countUp: prepare(
      'INSERT INTO writer VALUES (?, 1, ?, ?, ?) ON CONFLICT (key) DO UPDATE SET records = records + 1, first = min(first, excluded.first), ' +
        'host = iif(excluded.last >= last, excluded.host, host), last = max(last, excluded.last)',
    ),
    countDown: prepare('UPDATE writer SET records = records - 1 WHERE key = ?'),
    head: prepare('SELECT seq, hash FROM record ORDER BY seq DESC LIMIT 1'),
    firstSigned: prepare('SELECT min(seq) AS seq FROM record WHERE writer IS NOT NULL'),
    firstBy: prepare('SELECT min(seq) AS seq FROM record WHERE writer = ?'),
  }
}
