import { isHoldfastError } from '../../kernel/index.ts'
import { openSql } from '../connection/connect.ts'
import { withDatabase } from '../connection/location.ts'
import type { RelationFile } from './wal-changes.ts'

export interface RelationName {
  readonly database: string
  /** With its schema; `file N` for one that the server does not know. */
  readonly table: string
  /** catalog: the server's own tables, in which definitions are. toast: the long values of another table. */
  readonly kind: 'table' | 'catalog' | 'toast' | 'unknown'
}

/**
 * What tables these files are of, as a server knows them. A file that it does not have is `unknown`, as is everything in a database that
 * cannot be connected to.
 */
export async function relationNames(
  url: string,
  files: readonly RelationFile[],
  signal?: AbortSignal,
): Promise<(file: RelationFile) => RelationName> {
  const names = new Map<string, RelationName>()
  const databases = await databasesOf(url, signal)
  for (const oid of new Set(files.map(({ database }) => database))) {
    // What is shared by all databases can be asked for in any.
    const database = oid === 0 ? 'postgres' : databases.get(oid)
    if (database === undefined) continue
    try {
      await using connection = await openSql(withDatabase(url, database), {}, signal)
      for (const file of files.filter((one) => one.database === oid)) {
        const [row] = await connection.query(
          `select n.nspname || '.' || c.relname as name, c.relkind as kind, n.nspname = 'pg_catalog' as is_catalog
             from pg_class c join pg_namespace n on n.oid = c.relnamespace
            where c.oid = pg_filenode_relation(
              case when $1::bigint = (select dattablespace from pg_database where datname = current_database())
                   then 0 else $1::bigint end::oid, $2::bigint::oid)`,
          [file.tablespace, file.file],
        )
        if (row?.name === undefined || row.name === null) continue
        const kind = row.kind === 't' ? 'toast' : row.is_catalog === 't' ? 'catalog' : 'table'
        names.set(key(file), { database, table: row.name, kind })
      }
    } catch (error) {
      signal?.throwIfAborted()
      if (!isHoldfastError(error)) throw error
    }
  }
  return (file) =>
    names.get(key(file)) ?? {
      database: databases.get(file.database) ?? String(file.database),
      table: `file ${file.file}`,
      kind: 'unknown',
    }
}

async function databasesOf(url: string, signal?: AbortSignal): Promise<Map<number, string>> {
  await using connection = await openSql(url, {}, signal)
  const rows = await connection.query('select oid, datname from pg_database')
  return new Map(rows.map(({ oid, datname }) => [Number(oid), datname ?? '']))
}

const key = ({ tablespace, database, file }: RelationFile) => `${tablespace}/${database}/${file}`
