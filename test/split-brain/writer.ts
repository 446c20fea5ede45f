import { appendFileSync } from 'node:fs'
import pg from 'pg'

/**
 * A client that writes to one server all the time until it is killed, whatever becomes of the server: `node writer.ts URL NAME FILE`. Each row that was
 * acknowledged is a line `{"id":"NAME-7","atMs":…}` in FILE; `atMs` is when the server wrote it, by the server's clock (ms since 1970).
 */
const [url = '', name = '', file = ''] = process.argv.slice(2)
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

for (let next = 1; ;) {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 1000, query_timeout: 1500 })
  client.on('error', () => {})
  try {
    await client.connect()
    for (;;) {
      // What was sent once and not acknowledged may be there: its number is not used again.
      const id = `${name}-${next++}`
      const { rows } = await client.query<{ at_ms: string }>(
        'insert into rows (id) values ($1) returning extract(epoch from at) * 1000 as at_ms',
        [id],
      )
      appendFileSync(file, `${JSON.stringify({ id, atMs: Number(rows[0]?.at_ms) })}\n`)
      await pause(5)
    }
  } catch {
    await pause(50)
  } finally {
    // A server that is frozen or cut off takes no leave.
    void client.end().catch(() => {})
  }
}
