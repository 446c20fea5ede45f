import { z } from 'zod'
import { durationText } from '../catalog/index.ts'
import { HoldfastError, isHoldfastError, messageOf, parseDuration, type Json, quote } from '../kernel/index.ts'
import { describeUrl, openSql, runTransaction, transactionState, type TransactionMark } from '../postgres/index.ts'
import { done, notDone, unknown, type ActionContext, type Attempt, type Probe } from './contract.ts'
import { defineAction } from './define-action.ts'
import { outputReference, textOrSecret } from './param-types.ts'
import { readNote, writeNote } from './step-notes.ts'
import { reachOfUrl } from './reach.ts'

const statement = z
  .string()
  .regex(/\S/)
  // Within SQL an output would be syntax, and could be more than what was meant.
  .refine((sql) => !outputReference.test(sql), { message: 'an output of another step cannot stand within SQL' })
const statements = z.union([statement, z.array(statement).min(1)])

const params = z.strictObject({
  url: textOrSecret.describe('Where: a connection URL, an output such as ${steps.start.url}, or a secret that holds one.'),
  sql: statements.describe('One statement, or a list of them. They run in one transaction: all of them or none.'),
  probe: statement
    .describe(
      'A query that reads whether it is done, run read-only. The first column of its only row: true or false; null is unknown.',
    )
    .optional(),
  undo: statements.describe('Takes it back, in one transaction; doing that twice must be fine.').optional(),
  effect: z
    .enum(['reversible', 'point-of-no-return'])
    .describe('After a point of no return nothing is undone.')
    .default('reversible'),
  lockTimeout: durationText.describe('For how long a statement waits for a lock. Default: half of the step’s time.').optional(),
})

type Params = z.infer<typeof params>

const note = z.strictObject({ systemIdentifier: z.string(), timeline: z.int(), xid: z.string() })

const defaultTimeoutMs = 600_000
/** The server gives up a little before the step does: its answer is worth more than a cut connection. */
const serverShare = 0.9
const pollMs = 100

/**
 * Runs SQL in one transaction. Whether it was committed is asked of the server by the transaction's number, which is noted before COMMIT:
 * neither a broken connection nor a crash leaves that open, unless another server answers.
 */
export const sqlExecute = defineAction<Params>({
  kind: 'sql.execute',
  description:
    'Runs SQL in one transaction of a PostgreSQL server. Whether it was committed is asked of the server by the transaction’s number, which is noted before COMMIT, so that neither a cut connection nor a crash runs it twice. Outputs: `statements`, `rows`.',
  example: {
    url: { env: 'ADMIN_DATABASE_URL' },
    sql: "update settings set value = 'off' where name = 'billing'",
    undo: "update settings set value = 'on' where name = 'billing'",
  },
  effect: ({ effect }) => effect,
  params,

  async preflight({ url }, context, signal) {
    if (typeof url === 'string' && outputReference.test(url)) return []
    const resolved = await resolve(url, context, signal)
    await using connection = await openSql(resolved, { applicationName: 'holdfast sql.execute' }, signal)
    const [row] = await connection.query('select pg_is_in_recovery() as in_recovery')
    if (row?.in_recovery !== 't') return []
    return [
      {
        severity: 'warning',
        code: 'server-read-only',
        message: `the server at ${describeUrl(resolved)} is a standby: it takes no writes`,
        hint: 'the plan must promote it before this step',
      },
    ]
  },

  async probe({ url, probe }, context, { signal, idempotencyKey, previous }) {
    if (probe !== undefined) return await ask(await resolve(url, context, signal), probe, signal)
    if (previous !== 'interrupted') return notDone
    const mark = await readNote(context, idempotencyKey, note)
    // COMMIT is sent only after the note: without it, the server has rolled back, or will.
    if (mark === undefined) return notDone
    return await settled(await resolve(url, context, signal), mark, context, signal)
  },

  async run({ url, sql, lockTimeout }, context, attempt) {
    return await execute(await resolve(url, context, attempt.signal), sql, lockTimeout, context, attempt)
  },

  canUndo: ({ undo }) => undo !== undefined,
  async undo({ url, undo, lockTimeout }, _output, context, attempt) {
    if (undo === undefined) return
    const key = `${attempt.idempotencyKey}/undo`
    await execute(await resolve(url, context, attempt.signal), undo, lockTimeout, context, { ...attempt, idempotencyKey: key })
  },

  // The URL itself may hold a password.
  reach: ({ url }) => reachOfUrl(url),

  manual: ({ sql, probe }) => [
    `psql "$DATABASE_URL" -v ON_ERROR_STOP=1 --single-transaction ${[sql]
      .flat()
      .map((one) => `-c ${quote(one)}`)
      .join(' ')}`,
    ...(probe === undefined ? [] : [`psql "$DATABASE_URL" -At -c ${quote(probe)}   # is it done? t`]),
  ],
})

async function resolve(url: Params['url'], context: ActionContext, signal: AbortSignal): Promise<string> {
  return typeof url === 'string' ? url : (await context.resolveSecret(url, signal)).reveal()
}

async function execute(
  url: string,
  sql: Params['sql'],
  lockTimeout: string | undefined,
  context: ActionContext,
  { signal, idempotencyKey, timeoutMs = defaultTimeoutMs }: Attempt,
): Promise<Json> {
  let mark: TransactionMark | undefined
  try {
    const results = await runTransaction(
      url,
      [sql].flat(),
      {
        applicationName: `holdfast ${context.step}`,
        lockTimeoutMs: lockTimeout === undefined ? Math.ceil(timeoutMs / 2) : parseDuration(lockTimeout),
        statementTimeoutMs: Math.ceil(timeoutMs * serverShare),
        beforeCommit: async (found) => {
          await writeNote(context, idempotencyKey, { ...found })
          mark = found
        },
      },
      signal,
    )
    return { statements: results.map((result) => ({ ...result })), rows: results.reduce((sum, { rows }) => sum + (rows ?? 0), 0) }
  } catch (error) {
    if (!isHoldfastError(error, 'outcome-unknown') || mark === undefined) throw error
    const probe = await settled(url, mark, context, signal)
    if (probe.state === 'done') return probe.output ?? null
    if (probe.state === 'unknown') throw error
    throw new HoldfastError('postgres-failed', {
      message: `the connection to ${describeUrl(url)} broke, and the transaction was rolled back`,
      retryable: true,
      cause: error,
    })
  }
}

/** Asks until the server has decided: a COMMIT may still wait for a standby. */
async function settled(url: string, mark: TransactionMark, context: ActionContext, signal: AbortSignal): Promise<Probe> {
  for (;;) {
    let state: Awaited<ReturnType<typeof transactionState>>
    try {
      state = await transactionState(url, mark, signal)
    } catch (error) {
      signal.throwIfAborted()
      return unknown(`the server cannot be asked whether transaction ${mark.xid} was committed: ${messageOf(error)}`)
    }
    if (state === 'committed') return done({ transaction: mark.xid })
    if (state === 'aborted') return notDone
    if (typeof state === 'object')
      return unknown(`whether transaction ${mark.xid} was committed cannot be known: ${state.unknown}`)
    context.progress({ step: context.step, text: `transaction ${mark.xid} is still being committed` })
    await context.clock.sleep(pollMs, signal)
  }
}

async function ask(url: string, query: string, signal: AbortSignal): Promise<Probe> {
  try {
    await using connection = await openSql(url, { applicationName: 'holdfast sql.execute' }, signal)
    await connection.query('begin transaction read only')
    const rows = await connection.query(query)
    await connection.query('rollback')
    const [first, ...more] = rows.map((row) => Object.values(row)[0] ?? null)
    if (more.length === 0 && first === 't') return done()
    if (more.length === 0 && first === 'f') return notDone
    return unknown(`its probe gave ${rows.length === 1 ? (first ?? 'null') : `${rows.length} rows`}, not true or false`)
  } catch (error) {
    signal.throwIfAborted()
    return unknown(`its probe failed: ${messageOf(error)}`)
  }
}
