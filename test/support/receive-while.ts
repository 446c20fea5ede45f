import { parseLsn } from '../../src/postgres/index.ts'
import { runReception } from '../../src/service/index.ts'
import type { TestPostgres } from './postgres.ts'

/** Receives the WAL of the service `orders` while a command runs, until what it wrote is stored. */
export async function receiveWhile(catalog: string, pg: TestPostgres, command: string): Promise<void> {
  const stop = new AbortController()
  const stored = Promise.withResolvers<void>()
  let wanted: string | undefined
  const ended = runReception(
    { catalog, service: 'orders' },
    (event) => {
      if (event.type === 'wal-progress' && wanted !== undefined && parseLsn(event.durableLsn) >= parseLsn(wanted))
        stored.resolve()
    },
    stop.signal,
  )
  try {
    await pg.sql(command)
    const [row] = await pg.sql('select pg_current_wal_flush_lsn() as lsn')
    wanted = String(row?.lsn)
    await pg.sql('create table last_of_all ()')
    await Promise.race([stored.promise, ended])
  } finally {
    stop.abort()
    await ended
  }
}
