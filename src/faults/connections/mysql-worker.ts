/** Holds connections to a MySQL or MariaDB server until it ends: see holder/hold.ts. */
import { mapConcurrently } from '../../kernel/index.ts'
import { hold } from '../holder/hold.ts'
import { openMysql, type Mysql } from './mysql-client.ts'
import { heldStatement } from './mysql-session.ts'

const atATime = 8

hold<{ url: string; count: number; name: string }>(async ({ url, count, name }) => {
  const opened: Mysql[] = []
  await mapConcurrently(Array.from({ length: count }), atATime, async () => {
    opened.push(await openMysql(url, name))
  })
  for (const session of opened) void sleepOn(session, name)
  return opened.length
})

/** Until its connection is ended, which whoever looks at the server sees. */
async function sleepOn(session: Mysql, name: string): Promise<void> {
  try {
    for (;;) await session.query(heldStatement(name))
  } catch {
    // Killed, or the server has ended.
  }
}
