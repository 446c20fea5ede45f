import { appendFileSync } from 'node:fs'
import { Resolver } from 'node:dns/promises'
import pg from 'pg'

/** A client that writes all the time until it is killed, whatever becomes of the server. */
export interface Client {
  readonly name: string
  /** Of the database. */
  readonly url: string
  /**
   * Each row that was acknowledged is a line `{"id":"NAME-7","by":"west","atMs":…,"toldMs":…}` there: `by` is the server that wrote it, `atMs` when it began to, by its
   * clock, `toldMs` when the client was told that it is committed, by the client's (both ms since 1970).
   */
  readonly file: string
  /** Where the URL's host is looked up before every connection; a connection lasts a second then, so that a change is followed. */
  readonly nameServer?: string
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

async function addressed({ url, nameServer }: Client): Promise<string> {
  if (nameServer === undefined) return url
  const resolver = new Resolver({ timeout: 500, tries: 2 })
  resolver.setServers([nameServer])
  const parsed = new URL(url)
  parsed.hostname = (await resolver.resolve4(parsed.hostname))[0] ?? ''
  return parsed.toString()
}

async function write(given: Client): Promise<never> {
  const sessionMs = given.nameServer === undefined ? Infinity : 1000
  for (let next = 1; ;) {
    let client: pg.Client | undefined
    try {
      client = new pg.Client({ connectionString: await addressed(given), connectionTimeoutMillis: 1000, query_timeout: 1500 })
      client.on('error', () => {})
      await client.connect()
      for (const untilMs = performance.now() + sessionMs; performance.now() < untilMs;) {
        // What was sent once and not acknowledged may be there: its number is not used again.
        const id = `${given.name}-${next++}`
        const { rows } = await client.query<{ at_ms: string; by: string }>(
          `insert into rows (id) values ($1) returning extract(epoch from at) * 1000 as at_ms, current_setting('cluster_name') as by`,
          [id],
        )
        const toldMs = Date.now()
        appendFileSync(given.file, `${JSON.stringify({ id, by: rows[0]?.by, atMs: Number(rows[0]?.at_ms), toldMs })}\n`)
        await pause(5)
      }
    } catch {
      await pause(50)
    } finally {
      // A server that is frozen or cut off takes no leave.
      void client?.end().catch(() => {})
    }
  }
}

/** `node writer.ts JSON…`, each a client. */
await Promise.all(process.argv.slice(2).map((text) => write(JSON.parse(text) as Client)))
