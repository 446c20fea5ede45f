import { messageOf } from '../../kernel/index.ts'
import { openSql } from '../../postgres/index.ts'
import { formatDuration } from '../../kernel/index.ts'

/** A clock of the server that goes back a little is no future. */
const toleranceMs = 5000

/** A row is well, unless its first column is false. No row is not: nothing was shown. Gives why it is not well. */
export async function lookAtSql(url: string, sql: string, timeoutMs: number, signal: AbortSignal): Promise<string | undefined> {
  try {
    await using connection = await openSql(url, { connectTimeoutMs: timeoutMs, applicationName: 'holdfast observer' }, signal)
    const [row] = await connection.query(sql)
    if (row === undefined) return 'the query gave no row'
    return Object.values(row)[0] === 'f' ? 'the query gave false' : undefined
  } catch (error) {
    signal.throwIfAborted()
    return messageOf(error)
  }
}

/** The age of the newest heartbeat, by the clock of the server that holds it. Gives why it is not well. */
export async function lookAtHeartbeat(
  {
    url,
    sql,
    maxAgeMs,
    timeoutMs,
  }: { readonly url: string; readonly sql: string; readonly maxAgeMs: number; readonly timeoutMs: number },
  signal: AbortSignal,
): Promise<string | undefined> {
  try {
    await using connection = await openSql(url, { connectTimeoutMs: timeoutMs, applicationName: 'holdfast observer' }, signal)
    const query = sql.trim().replace(/;\s*$/, '')
    const [row] = await connection.query(`select extract(epoch from clock_timestamp() - (${query}\n)::timestamptz) * 1000 as age`)
    if (typeof row?.age !== 'string') return 'there is no heartbeat'
    const ageMs = Number(row.age)
    if (ageMs < -toleranceMs) return `the newest heartbeat is dated ${formatDuration(-ageMs)} in the future`
    return ageMs <= maxAgeMs ? undefined : `the newest heartbeat is ${formatDuration(ageMs)} old`
  } catch (error) {
    signal.throwIfAborted()
    return messageOf(error)
  }
}
