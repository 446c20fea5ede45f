import { mkdirSync, readdirSync, rmSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { systemCode } from '../kernel/index.ts'

/** Changes with the tables below, and with what is kept in them: a file of another version is made anew. */
const version = 3

/**
 * `useful`: of records of which a reader wants the newest that shows something, what it shows (usefulness.ts).
 * `restored`: which snapshots the recoveries brought back.
 * `signed`: 0 nobody looked yet, 1 by its writer's key, 2 not.
 */
const tables = `
  CREATE TABLE object (name TEXT PRIMARY KEY, size INTEGER NOT NULL) WITHOUT ROWID;
  CREATE TABLE record (
    seq INTEGER PRIMARY KEY, hash TEXT NOT NULL, prev TEXT NOT NULL, kind TEXT NOT NULL, service TEXT, time INTEGER NOT NULL,
    subject TEXT, useful TEXT, writer TEXT, signed INTEGER NOT NULL DEFAULT 0, text TEXT NOT NULL
  );
  CREATE INDEX record_kind ON record (kind, seq);
  CREATE INDEX record_newest ON record (kind, service, useful, time) WHERE useful IS NOT NULL;
  CREATE INDEX record_subject ON record (subject) WHERE subject IS NOT NULL;
  CREATE INDEX record_writer ON record (writer, seq);
  CREATE TABLE restored (seq INTEGER NOT NULL, snapshot TEXT NOT NULL, PRIMARY KEY (seq, snapshot)) WITHOUT ROWID;
  CREATE INDEX restored_snapshot ON restored (snapshot);
  CREATE TABLE damage (seq INTEGER PRIMARY KEY, damage TEXT NOT NULL);
  CREATE TABLE writer (key TEXT PRIMARY KEY, records INTEGER NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL, host TEXT NOT NULL) WITHOUT ROWID;
  PRAGMA user_version = ${version};
`

/** In memory, for whoever keeps nothing. */
export const inMemory = ':memory:'

/** Opens the file of a ledger's cache, or makes it. Throws what SQLite says (cacheLossOf), or `OtherCache` for one of another version. */
export function openCacheFile(path: string): DatabaseSync {
  if (path !== inMemory) mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  // Others write for a moment only; whoever holds it for longer than this is not waited for.
  const database = new DatabaseSync(path, { timeout: 3000 })
  try {
    return prepare(database, path)
  } catch (error) {
    database.close()
    throw error
  }
}

/** The file has other tables than this version makes. */
class OtherCache extends Error {
  override readonly name = 'OtherCache'
}

/**
 * Why a cache cannot be used any more. `wrong`: the file is not what was written, and is to be made anew. `unusable`: there is no place or no
 * space for it, or others do not let go of it. Undefined: the error is another one.
 */
export function cacheLossOf(error: unknown): 'wrong' | 'unusable' | undefined {
  if (error instanceof OtherCache) return 'wrong'
  const { code, errcode = 0 } = error instanceof Error ? (error as Error & { code?: string; errcode?: number }) : {}
  // SQLITE_ERROR, SQLITE_IOERR, SQLITE_CORRUPT, SQLITE_NOTADB.
  if (code === 'ERR_SQLITE_ERROR') return [1, 10, 11, 26].includes(errcode & 0xff) ? 'wrong' : 'unusable'
  return placeless.has(systemCode(error) ?? '') ? 'unusable' : undefined
}

const placeless = new Set(['EACCES', 'EPERM', 'EROFS', 'ENOTDIR', 'EEXIST', 'ENOSPC', 'EDQUOT', 'EISDIR'])

/** With what SQLite keeps beside it. */
export function removeCacheFile(path: string): void {
  if (path === inMemory) return
  for (const suffix of ['', '-wal', '-shm']) rmSync(`${path}${suffix}`, { force: true })
}

function prepare(database: DatabaseSync, path: string): DatabaseSync {
  // After a loss of power the newest transactions may be gone, and the file is whole.
  database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA cache_size = -16384; PRAGMA temp_store = MEMORY;')
  // Damage is found when a page is read, and not only where it makes sense of nothing.
  database.exec('PRAGMA cell_size_check = ON')
  const found = versionOf(database)
  if (found === version) return database
  if (found !== 0) throw new OtherCache(`a cache of version ${found}`)
  database.exec('BEGIN IMMEDIATE')
  try {
    // Another process may have been first.
    if (versionOf(database) === 0) database.exec(tables)
    database.exec('COMMIT')
  } catch (error) {
    rollBack(database)
    throw error
  }
  if (path !== inMemory) removeOtherVersions(path)
  return database
}

/** SQLite ends a transaction by itself where there is no space for it. */
export function rollBack(database: DatabaseSync): void {
  if (database.isTransaction) database.exec('ROLLBACK')
}

function versionOf(database: DatabaseSync): number {
  return Number(database.prepare('PRAGMA user_version').get()?.user_version)
}

/** `ledger-ID@0.1.0.sqlite`: each version of Holdfast has one of its own, and the first that makes one removes those of others. */
function removeOtherVersions(path: string): void {
  const [file, folder] = [basename(path), dirname(path)]
  const [name = ''] = file.split('@')
  for (const other of readdirSync(folder))
    if (other.startsWith(`${name}@`) && !other.startsWith(file)) rmSync(join(folder, other), { force: true })
}
