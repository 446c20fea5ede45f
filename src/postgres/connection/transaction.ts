import type pg from 'pg'
import { HoldfastError, isHoldfastError } from '../../kernel/index.ts'
import { connectClient, openSql } from './connect.ts'
import { postgresError, sqlState } from './errors.ts'
import { describeUrl } from './location.ts'

/**
 * A transaction as the server knows it: by this, whether it was committed can be asked when nobody heard the answer. Only on the same
 * cluster and timeline does its number mean the same.
 */
export interface TransactionMark {
  readonly systemIdentifier: string
  readonly timeline: number
  /** An xid8, decimal. */
  readonly xid: string
}

export interface StatementResult {
  /** The server's word: `UPDATE`, `CREATE TABLE`. */
  readonly command: string
  /** Rows affected or returned; null for a command that has none. */
  readonly rows: number | null
}

export interface TransactionOptions {
  readonly applicationName: string
  readonly lockTimeoutMs: number
  readonly statementTimeoutMs: number
  /** Awaited before COMMIT is sent; a throw rolls back. */
  readonly beforeCommit: (mark: TransactionMark) => Promise<void>
}

const markQuery = `
  select pg_current_xact_id()::text as xid,
         (select system_identifier::text from pg_control_system()) as system_identifier,
         ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::int as timeline`

const endsTransaction = /^(?:begin|start|commit|end|rollback|abort|savepoint|release|prepare\s+transaction)\b/i

/**
 * Runs statements, each a single one, in one transaction. All or none are committed. Throws `usage` for several statements in one text and
 * for transaction control, the server's own error after a rollback, and `outcome-unknown` when the connection broke during COMMIT.
 */
export async function runTransaction(
  url: string,
  statements: readonly string[],
  options: TransactionOptions,
  signal: AbortSignal,
): Promise<readonly StatementResult[]> {
  for (const sql of statements) requirePlainStatement(sql)
  const client = await connectClient(url, { applicationName: options.applicationName }, signal)
  let committing = false
  try {
    await client.query('begin')
    await client.query(limits(options))
    const results: StatementResult[] = []
    for (const sql of statements) {
      const { command, rowCount } = await client.query(single(sql))
      results.push({ command, rows: rowCount })
    }
    const { rows } = await client.query<{ xid: string; system_identifier: string; timeline: number }>(markQuery)
    const [row] = rows
    if (row === undefined) throw new HoldfastError('internal', { message: 'the server answered a query of one row with none' })
    await options.beforeCommit({ xid: row.xid, systemIdentifier: row.system_identifier, timeline: row.timeline })
    committing = true
    const { command } = await client.query('commit')
    // To COMMIT a transaction that has failed, the server answers ROLLBACK.
    if (command === 'COMMIT') return results
    throw new HoldfastError('postgres-failed', {
      message: `the transaction was not committed but rolled back (at ${describeUrl(url)})`,
    })
  } catch (error) {
    signal.throwIfAborted()
    const failure = worded(error, url)
    // An answer of the server to COMMIT is an answer, except that it is just going down.
    const isAnswer = sqlState(failure) !== undefined && !isHoldfastError(failure, 'postgres-unreachable')
    if (!committing || isAnswer || isHoldfastError(error)) throw failure
    throw new HoldfastError('outcome-unknown', {
      message: `the connection broke during COMMIT, and the transaction may be committed: ${failure.message}`,
      retryable: true,
      cause: failure,
    })
  } finally {
    await client.end().catch(() => client.connection.stream.destroy())
  }
}

/** What became of a transaction. Throws what `openSql` does when the server cannot be asked. */
export async function transactionState(
  url: string,
  mark: TransactionMark,
  signal: AbortSignal,
): Promise<'committed' | 'aborted' | 'in progress' | { readonly unknown: string }> {
  await using connection = await openSql(url, {}, signal)
  const [where] = await connection.query(
    `select pg_is_in_recovery() as in_recovery, (select system_identifier::text from pg_control_system()) as system_identifier`,
  )
  if (where?.system_identifier !== mark.systemIdentifier) return { unknown: `another server answers at ${describeUrl(url)} now` }
  if (where.in_recovery === 't') return { unknown: `the server at ${describeUrl(url)} is a standby now` }
  const [row] = await connection.query(
    `select pg_xact_status($1::text::xid8) as state, ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::int as timeline`,
    [mark.xid],
  )
  // A promoted standby may have given the same number to another transaction.
  if (Number(row?.timeline) !== mark.timeline) return { unknown: `the server at ${describeUrl(url)} is on another timeline now` }
  const state = row?.state
  if (state === 'committed' || state === 'aborted' || state === 'in progress') return state
  return { unknown: 'the server has forgotten the transaction: it is too old' }
}

/** `set_config(…, true)` is `SET LOCAL`. Without the last two, a server would hold locks for a client that is gone. */
function limits({ lockTimeoutMs, statementTimeoutMs }: TransactionOptions): pg.QueryConfig {
  return {
    text: `select set_config('lock_timeout', $1, true), set_config('statement_timeout', $2, true),
                  set_config('idle_in_transaction_session_timeout', $2, true), set_config('client_connection_check_interval', '1s', true)`,
    values: [String(lockTimeoutMs), String(statementTimeoutMs)],
  }
}

/** In the extended protocol the server itself refuses more than one statement. */
function single(sql: string): pg.QueryConfig & { readonly queryMode: 'extended' } {
  return { text: sql, queryMode: 'extended' }
}

function requirePlainStatement(sql: string): void {
  const [word] = endsTransaction.exec(withoutLeadingComments(sql)) ?? []
  if (word === undefined) return
  throw new HoldfastError('usage', {
    message: `a statement begins with ${word.toUpperCase()}, but all statements run in one transaction, which is not theirs to control`,
    hint: 'leave it out; what must not be in one transaction belongs into steps of its own',
  })
}

/** PostgreSQL's block comments nest. */
function withoutLeadingComments(sql: string): string {
  for (let rest = sql.replace(/^[\s;]+/, ''); ; rest = rest.replace(/^[\s;]+/, '')) {
    if (rest.startsWith('--')) rest = rest.replace(/^.*/, '')
    else if (rest.startsWith('/*')) rest = rest.slice(endOfComment(rest))
    else return rest
  }
}

function endOfComment(text: string): number {
  let depth = 0
  for (const { 0: mark, index } of text.matchAll(/\/\*|\*\//g)) {
    depth += mark === '/*' ? 1 : -1
    if (depth === 0) return index + 2
  }
  return text.length
}

function worded(error: unknown, url: string): HoldfastError {
  const failure = postgresError(error, url)
  const state = sqlState(failure)
  if (state === '42601' && failure.message.includes('multiple commands')) {
    return new HoldfastError('usage', {
      message: `a text holds several statements (at ${describeUrl(url)})`,
      hint: 'write them as a list, one statement each: they still run in one transaction',
      cause: error,
    })
  }
  if (state === '25001') {
    return new HoldfastError('postgres-failed', {
      message: failure.message,
      hint: 'this command needs to run outside a transaction: use a shell step with psql, and a probe',
      cause: error,
      details: failure.details,
    })
  }
  return failure
}
