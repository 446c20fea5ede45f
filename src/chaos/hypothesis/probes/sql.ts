import type { Json } from '../../../kernel/index.ts'
import { openSql } from '../../../postgres/index.ts'
import type { Seen } from '../tolerance.ts'

/** By its name the sessions of experiments can be told from those of the application. */
const applicationName = 'holdfast chaos probe'

export async function askSql(url: string, sql: string, timeoutMs: number, signal: AbortSignal): Promise<Seen> {
  await using connection = await openSql(url, { connectTimeoutMs: timeoutMs, applicationName }, signal)
  const rows = await connection.query(sql)
  const first = rows[0]
  return { value: first === undefined ? null : asValue(Object.values(first)[0] ?? null), text: JSON.stringify(rows) }
}

/** PostgreSQL gives text: what reads as a number or a truth value is one. */
function asValue(text: string | null): Json {
  if (text === null) return null
  if (text === 't' || text === 'f') return text === 't'
  return text.trim() !== '' && Number.isFinite(Number(text)) ? Number(text) : text
}
