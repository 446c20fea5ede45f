/** Holds connections to a PostgreSQL server until it ends: see holder/hold.ts. */
import { openSql, type SqlConnection } from '../../postgres/index.ts'
import { mapConcurrently } from '../../kernel/index.ts'
import { hold } from '../holder/hold.ts'

const atATime = 8
const held: SqlConnection[] = []

hold<{ url: string; count: number; applicationName: string }>(async ({ url, count, applicationName }) => {
  await mapConcurrently(Array.from({ length: count }), atATime, async () => {
    held.push(await openSql(url, { applicationName }))
  })
  return held.length
})
