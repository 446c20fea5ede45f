import { messageOf } from '../../kernel/index.ts'
import { openSql } from '../connection/connect.ts'

/** A configuration file that lies outside the data directory, as on Debian: no base backup holds it. */
export type OutsideConfig = { readonly path: string } & ({ readonly bytes: Buffer } | { readonly notSaved: string })

/**
 * The configuration files in use outside the data directory, included ones too, as far as the user may read them (superuser, or
 * pg_read_all_settings and pg_read_server_files). Where the user may not even know their names, the list is empty.
 */
export async function outsideConfiguration(url: string, signal?: AbortSignal): Promise<OutsideConfig[]> {
  await using connection = await openSql(url, {}, signal)
  const rows = await connection.query(`
    with files as (
      select setting as path from pg_settings where name in ('config_file', 'hba_file', 'ident_file')
      union select sourcefile from pg_settings where sourcefile is not null)
    select path from files
    where path is not null and path <> ''
      and not starts_with(path, (select setting from pg_settings where name = 'data_directory') || '/')
    order by path`)
  const files: OutsideConfig[] = []
  for (const { path } of rows) {
    if (path == null) continue
    try {
      const [row] = await connection.query("select encode(pg_read_binary_file($1), 'hex') as bytes", [path])
      files.push({ path, bytes: Buffer.from(row?.bytes ?? '', 'hex') })
    } catch (error) {
      signal?.throwIfAborted()
      files.push({ path, notSaved: messageOf(error) })
    }
  }
  return files
}
