import { Client } from 'pg'
import { sha256Hex, systemClock, type Clock } from '../../kernel/index.ts'

/** What the writers know of their own work: the ground truth that a recovery is compared with. */
export interface Workload extends AsyncDisposable {
  /** Rows whose commit the server acknowledged, over all writers. */
  acknowledged(): number
  /** Ends the writers, however the server is. Their knowledge stays. */
  stop(): Promise<void>
  readonly writers: readonly WriterLog[]
}

/** One connection's rows are numbered 1, 2, 3, … and committed one by one, so the last acknowledged number tells all. */
export interface WriterLog {
  readonly writer: number
  /** Every row from 1 to this one was acknowledged. */
  lastAcknowledged: number
  /** At index seq − 1: when the acknowledgement of that row arrived, on the monotonic clock. */
  readonly acknowledgedAtMs: number[]
}

export interface Row {
  readonly writer: number
  readonly seq: number
  readonly payload: string
}

/** What a row must contain: anybody can recompute it, so a row that came back wrong is found. */
export function payloadOf(writer: number, seq: number): string {
  return sha256Hex(`order ${writer}/${seq}`).repeat(2)
}

export async function createOrdersTable(url: string): Promise<void> {
  const client = new Client({ connectionString: url })
  await client.connect()
  try {
    await client.query(
      'create table orders (writer int not null, seq bigint not null, payload text not null, placed_at timestamptz not null default clock_timestamp(), primary key (writer, seq))',
    )
  } finally {
    await client.end()
  }
}

/** Starts `count` connections that each insert and commit rows as fast as the server acknowledges them, until stopped or cut off. */
export async function startWorkload(url: string, count: number, clock: Clock = systemClock): Promise<Workload> {
  const stopping = new AbortController()
  const writers: WriterLog[] = Array.from({ length: count }, (_, index) => ({
    writer: index + 1,
    lastAcknowledged: 0,
    acknowledgedAtMs: [],
  }))
  const clients: Client[] = []
  for (const _ of writers) {
    const client = new Client({ connectionString: url, application_name: 'holdfast-demo-writer' })
    // The server is going to be killed under these connections: that is the demo.
    client.on('error', () => {})
    await client.connect()
    clients.push(client)
  }
  const running = writers.map((log, index) => writeUntilStopped(clients[index]!, log, stopping.signal, clock))
  const stop = async () => {
    stopping.abort()
    await Promise.all(running)
    await Promise.all(clients.map((client) => client.end().catch(() => {})))
  }
  return {
    writers,
    acknowledged: () => writers.reduce((sum, log) => sum + log.lastAcknowledged, 0),
    stop,
    [Symbol.asyncDispose]: stop,
  }
}

async function writeUntilStopped(client: Client, log: WriterLog, signal: AbortSignal, clock: Clock): Promise<void> {
  const cutOff = Promise.withResolvers<'cut-off'>()
  client.on('end', () => cutOff.resolve('cut-off'))
  client.on('error', () => cutOff.resolve('cut-off'))
  // A commit that waits for a receiver that is gone would be waited for for ever.
  signal.addEventListener('abort', () => cutOff.resolve('cut-off'), { once: true })
  while (!signal.aborted) {
    const seq = log.lastAcknowledged + 1
    const insert = client
      .query('insert into orders (writer, seq, payload) values ($1, $2, $3)', [log.writer, seq, payloadOf(log.writer, seq)])
      .then(
        () => 'acknowledged' as const,
        () => 'cut-off' as const,
      )
    if ((await Promise.race([insert, cutOff.promise])) === 'cut-off') return
    log.acknowledgedAtMs.push(clock.monotonicMs())
    log.lastAcknowledged = seq
  }
}
