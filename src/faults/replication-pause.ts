import { z } from 'zod'
import { blocker, HoldfastError, type Finding } from '../kernel/index.ts'
import { describeUrl, openSql, type SqlConnection } from '../postgres/index.ts'
import { absent, partly, present, type Sight, type TraceContext } from './contract.ts'
import { defineFault } from './define-fault.ts'
import { resolveUrl, urlInShell, urlOrSecret, type UrlOrSecret } from './location.ts'
import { readNote, removeNote, writeNote } from './note.ts'

const params = z.strictObject({
  url: urlOrSecret.describe('Where the standby is, as a URL; with a password in it, where that URL is: a secret.'),
})
const traces = z.strictObject({ url: urlOrSecret, system: z.string(), started: z.string() })
type Traces = z.infer<typeof traces>

/**
 * PostgreSQL keeps nothing of who paused it. What is known of our pause is therefore written beside the record: before it is asked for, that it is
 * about to be; once it is there, where replay stands. Replay that has moved on since was resumed by somebody, and whoever paused it again is not us.
 */
const note = z.strictObject({ lsn: z.string().optional() })

/** How long a pause may take to come: a startup process that waits for a query to end sees it late. */
const pauseMs = 30_000

/** A standby receives WAL and does not apply it. */
export const replicationPause = defineFault<{ url: UrlOrSecret }, Traces>({
  kind: 'replication.pause',
  description:
    'Pauses the replay of a PostgreSQL standby (pg_wal_replay_pause): it goes on receiving, so nothing is lost, but what it answers grows old, and its disk keeps the WAL that waits. A server that is no standby, and one whose replay somebody else has paused, are refused. At the end replay goes on, if the pause is still ours: a standby that was started anew or promoted since has none, and one whose replay has moved meanwhile was paused again by somebody else.',
  example: { url: { env: 'ORDERS_STANDBY_URL' } },
  params,
  traces,
  expiry: 'never',

  async preflight({ url }, context, signal) {
    await using sql = await openSql(await resolveUrl(url, context, signal), {}, signal)
    return await findingsOf(sql)
  },

  async plan({ url }, context, signal) {
    const location = await resolveUrl(url, context, signal)
    await using sql = await openSql(location, {}, signal)
    const { system, started } = await replayOf(sql)
    return { targets: [`replay of the standby ${describeUrl(location)}`], traces: { url, system, started } }
  },

  async inject(_params, traces, context, signal) {
    await using sql = await openSql(await resolveUrl(traces.url, context, signal), {}, signal)
    await writeNote(context)
    const [row] = await sql.query(`
      select case when pg_get_wal_replay_pause_state() = 'not paused' then coalesce(pg_wal_replay_pause()::text, '') end as ours`)
    if (row?.ours === null) {
      await removeNote(context)
      throw new HoldfastError('fault-refused', { message: 'somebody else has paused replay meanwhile' })
    }
    const endMs = context.clock.monotonicMs() + pauseMs
    for (let replay = await replayOf(sql); replay.state !== 'paused'; replay = await replayOf(sql)) {
      if (replay.state !== 'pause requested' || context.clock.monotonicMs() > endMs)
        throw new HoldfastError('fault-failed', {
          message: `replay is not paused: ${replay.state ?? 'it is no standby any more'}`,
        })
      await context.clock.sleep(10, signal)
    }
    const { lsn } = await replayOf(sql)
    await writeNote(context, lsn === undefined ? {} : { lsn })
  },

  async look(traces, context, signal): Promise<Sight> {
    await using sql = await openSql(await resolveUrl(traces.url, context, signal), {}, signal)
    const state = await ourPause(sql, traces, context)
    if (state === undefined) return absent
    return state === 'paused' ? present : partly('the pause has been asked for, and replay goes on')
  },

  async undo(traces, context, signal) {
    await using sql = await openSql(await resolveUrl(traces.url, context, signal), {}, signal)
    if ((await ourPause(sql, traces, context)) === undefined) return
    try {
      await sql.query(`select pg_wal_replay_resume() where pg_is_in_recovery()`)
    } catch (error) {
      // Promoted between the two: its pause has ended.
      if ((await ourPause(sql, traces, context)) !== undefined) throw error
    }
  },

  manualUndo: ({ url }) => [`psql ${urlInShell(url)} -c 'select pg_wal_replay_resume()'`],
})

interface Replay {
  readonly system: string
  /** When the server was started: a pause does not outlive it. */
  readonly started: string
  /** `not paused`, `pause requested` or `paused`; absent on a server that is no standby. */
  readonly state: string | undefined
  readonly lsn: string | undefined
  readonly mayPause: boolean
}

async function replayOf(sql: SqlConnection): Promise<Replay> {
  const [row] = await sql.query(`
    select (select system_identifier::text from pg_control_system()) as system,
           extract(epoch from pg_postmaster_start_time())::text as started,
           case when pg_is_in_recovery() then pg_get_wal_replay_pause_state() end as state,
           case when pg_is_in_recovery() then pg_last_wal_replay_lsn()::text end as lsn,
           has_function_privilege('pg_wal_replay_pause()', 'execute')
             and has_function_privilege('pg_wal_replay_resume()', 'execute') as may_pause`)
  return {
    system: row?.system ?? '',
    started: row?.started ?? '',
    state: row?.state ?? undefined,
    lsn: row?.lsn ?? undefined,
    mayPause: row?.may_pause === 't',
  }
}

async function findingsOf(sql: SqlConnection): Promise<Finding[]> {
  const { state, mayPause } = await replayOf(sql)
  if (state === undefined) return [blocker('no-standby', 'the server is no standby', 'name the standby, not its primary')]
  if (state !== 'not paused')
    return [blocker('replay-paused', `replay is ${state} already, by somebody else`, 'find out who paused it and why')]
  if (mayPause) return []
  const hint = 'as a superuser: grant execute on function pg_wal_replay_pause(), pg_wal_replay_resume() to it'
  return [blocker('not-permitted', 'this user may not pause replay', hint)]
}

/** `paused` or `pause requested`; undefined where there is no pause of ours. */
async function ourPause(sql: SqlConnection, { system, started }: Traces, context: TraceContext): Promise<string | undefined> {
  const noted = await readNote(context, note)
  if (noted === undefined) return undefined
  const now = await replayOf(sql)
  if (now.system !== system || now.started !== started || now.state === 'not paused') return undefined
  return noted.lsn === undefined || noted.lsn === now.lsn ? now.state : undefined
}
