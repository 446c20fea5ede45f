import { mkdirSync, rmSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync } from 'node:sqlite'

/** Changes with the tables below, and with what is kept in them: a file of another version is made anew. */
const version = 2

/**
 * `useful`: of records of which a reader wants the newest that shows something, what it shows (usefulness.ts).
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
  CREATE TABLE damage (seq INTEGER PRIMARY KEY, damage TEXT NOT NULL);
  CREATE TABLE writer (key TEXT PRIMARY KEY, records INTEGER NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL, host TEXT NOT NULL) WITHOUT ROWID;
  PRAGMA user_version = ${version};
`

/** In memory, for whoever keeps nothing. */
export const inMemory = ':memory:'

/**
 * Opens the file of a ledger's cache, or makes it: whatever is not one of this version goes. Nothing in it is missed: a repository has it all.
 * SQLite keeps it whole when processes share it or are killed.
 */
export function openCacheFile(path: string): DatabaseSync {
  if (path === inMemory) return prepare(new DatabaseSync(path))
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  } catch {
    // There is no place for it.
    return prepare(new DatabaseSync(inMemory))
  }
  try {
    const database = new DatabaseSync(path, { timeout: 10_000 })
    try {
      return prepare(database)
    } catch (error) {
      database.close()
      throw error
    }
  } catch (error) {
    if (isUnwritable(error)) return prepare(new DatabaseSync(inMemory))
    removeCacheFile(path)
    return prepare(new DatabaseSync(path, { timeout: 10_000 }))
  }
}

/** With what SQLite keeps beside it. */
export function removeCacheFile(path: string): void {
  if (path === inMemory) return
  for (const suffix of ['', '-wal', '-shm']) rmSync(`${path}${suffix}`, { force: true })
}

function prepare(database: DatabaseSync): DatabaseSync {
  // After a loss of power the newest transactions may be gone, and the file is whole.
  database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA cache_size = -16384; PRAGMA temp_store = MEMORY;')
  const found = versionOf(database)
  if (found === version) return database
  if (found !== 0) throw new Error(`a cache of version ${found}`)
  database.exec('BEGIN IMMEDIATE')
  try {
    // Another process may have been first.
    if (versionOf(database) === 0) database.exec(tables)
    database.exec('COMMIT')
  } catch (error) {
    database.exec('ROLLBACK')
    throw error
  }
  return database
}

function versionOf(database: DatabaseSync): number {
  return Number(database.prepare('PRAGMA user_version').get()?.user_version)
}

/** SQLITE_PERM, SQLITE_READONLY and SQLITE_CANTOPEN: there is no place for it. */
function isUnwritable(error: unknown): boolean {
  const { errcode = 0 } = error instanceof Error ? (error as Error & { errcode?: number }) : {}
  return [3, 8, 14].includes(errcode & 0xff)
}
