import { Client } from 'pg'
import { payloadOf, type Row, type WriterLog } from './workload.ts'

export interface RowComparison {
  readonly acknowledged: number
  /** Acknowledged rows that came back as they were written. */
  readonly recovered: number
  /** Acknowledged rows that are missing. */
  readonly lost: number
  /** Rows that came back with another content. */
  readonly damaged: number
  /** Rows that came back though no acknowledgement had arrived: their commit was in flight. Correct, and counted to be complete. */
  readonly unacknowledged: number
  /** When the newest recovered row had been acknowledged, on the monotonic clock; undefined when none came back. */
  readonly newestRecoveredAtMs: number | undefined
}

/** Compares every acknowledged row with what the recovered server holds, content included. */
export async function compareRows(url: string, writers: readonly WriterLog[]): Promise<RowComparison> {
  const client = new Client({ connectionString: url })
  await client.connect()
  try {
    const { rows } = await client.query<{ writer: number; seq: string; payload: string }>(
      'select writer, seq, payload from orders',
    )
    return compare(
      rows.map(({ writer, seq, payload }) => ({ writer, seq: Number(seq), payload })),
      writers,
    )
  } finally {
    await client.end()
  }
}

/** The comparison itself. */
export function compare(rows: readonly Row[], writers: readonly WriterLog[]): RowComparison {
  const acknowledged = writers.reduce((sum, log) => sum + log.lastAcknowledged, 0)
  const logs = new Map(writers.map((log) => [log.writer, log]))
  let recovered = 0
  let damaged = 0
  let unacknowledged = 0
  let newestRecoveredAtMs: number | undefined
  for (const { writer, seq, payload } of rows) {
    if (payload !== payloadOf(writer, seq)) {
      damaged++
      continue
    }
    const atMs = logs.get(writer)?.acknowledgedAtMs[seq - 1]
    if (atMs === undefined) {
      unacknowledged++
      continue
    }
    recovered++
    if (newestRecoveredAtMs === undefined || atMs > newestRecoveredAtMs) newestRecoveredAtMs = atMs
  }
  return { acknowledged, recovered, lost: acknowledged - recovered, damaged, unacknowledged, newestRecoveredAtMs }
}
