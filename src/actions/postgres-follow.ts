import { z } from 'zod'
import { text } from '../catalog/index.ts'
import { HoldfastError, isHoldfastError, type Json } from '../kernel/index.ts'
import {
  configureFollowing,
  describeLag,
  dropSlot,
  ensureSlot,
  forgetFormerSettings,
  formatLsn,
  isStandby,
  openSql,
  readControlFile,
  readDivergence,
  replicationLag,
  replicationState,
  unconfigureFollowing,
  waitUntilFollowing,
  type PostgresServer,
} from '../postgres/index.ts'
import { done, halfDone, notDone, type ActionContext, type Attempt, type ProbeContext } from './contract.ts'
import { defineAction } from './define-action.ts'
import { describeDivergence } from './servers/divergence-report.ts'
import { leaderFor, type Leader } from './servers/leader.ts'
import { dataDirectoryWord, declared, psqlTo, urlAsWord } from './servers/manual-server.ts'
import {
  describeServer,
  findServer,
  localServer,
  namedServerParams,
  requireLocal,
  resolveServer,
  type NamedServer,
} from './servers/named-server.ts'
import { readNote, writeNote } from './step-notes.ts'

const params = z.strictObject({
  server: text.describe('The server that is to follow, by its name in the catalog. It must be on this machine.'),
  service: namedServerParams.service,
  source: text.describe('The server to stream from. Default: the only other one that is a primary.').optional(),
  slot: z
    .string()
    .regex(/^[a-z0-9_]{1,63}$/)
    .describe(
      'The slot on the source, made if it is missing, so that the source keeps WAL for it. Default: named after the server.',
    )
    .optional(),
})

type Params = z.infer<typeof params>

const note = z.strictObject({ wasRunning: z.boolean(), createdSlot: z.string().optional(), source: z.string() })
/** Of the step's time; the rest is for saying why. */
const waitShare = 0.9
const defaultTimeoutMs = 300_000

/** Makes a server a standby of another, starts it, and waits until it is seen to stream from it. */
export const postgresFollow = defineAction<Params>({
  kind: 'postgres.follow',
  description:
    'Makes a PostgreSQL server of this machine stream from the one that leads: writes primary_conninfo, primary_slot_name and standby.signal, makes the slot, starts the server (or reloads a running standby), and reads back that it streams from the right cluster and timeline and has replayed everything that the source had when the step began. Refuses a running primary, and a server with WAL of its own behind the fork, which needs postgres.rewind first. The undo stops what it started and puts the settings back; it stays a standby. Outputs: `server`, `source`, `slot`, `timeline`, `replayedLsn`, `lag`.',
  example: { server: 'primary', source: 'west' },
  effect: 'reversible',
  params,

  async preflight(p, context, signal) {
    // Who leads, and what has diverged, earlier steps may still change.
    const target = await resolveServer(context, p, signal)
    requireLocal(target)
    if (p.source !== undefined) findServer(context.catalog, { server: p.source, service: target.service })
    return []
  },

  async probe(p, context, probe) {
    return await look(p, context, probe)
  },

  run: async (p, context, attempt) => await run(p, context, attempt),

  async undo(p, _output, context, { signal, idempotencyKey }) {
    const before = await readNote(context, idempotencyKey, note)
    if (before === undefined) return
    const target = await resolveServer(context, p, signal)
    const server = await localServer(target)
    if (!before.wasRunning && (await server.running()) !== undefined) await server.stop('fast', {}, signal)
    await unconfigureFollowing(server.dataDir)
    if (before.wasRunning) await reload(target, signal)
    if (before.createdSlot === undefined) return
    const source = await resolveServer(context, { server: before.source, service: target.service }, signal)
    await dropSlot(source.url, before.createdSlot, signal)
  },

  manual(p, catalog) {
    const dataDirectory = dataDirectoryWord(p, catalog)
    const source = { server: p.source, service: p.service }
    const place = declared(source, catalog)?.place
    const slot = slotOf(p)
    return [
      `${psqlTo(source, catalog)} -c "select pg_create_physical_replication_slot('${slot}', true)"   # where there is none yet`,
      `touch ${dataDirectory}/standby.signal`,
      `echo "primary_conninfo = '"${urlAsWord(place?.replicationUrl ?? place?.url, p.source ?? 'leader', catalog)}"'" >> ${dataDirectory}/postgresql.auto.conf`,
      `printf '%s\\n' "primary_slot_name = '${slot}'" "recovery_target_timeline = 'latest'" >> ${dataDirectory}/postgresql.auto.conf`,
      `pg_ctl -D ${dataDirectory} -w start   # as the account of the server, not as root`,
      `${psqlTo(p, catalog)} -c 'select status, received_tli, latest_end_lsn, pg_last_wal_replay_lsn() from pg_stat_wal_receiver'   # streaming, on the source's timeline, advancing`,
    ]
  },
})

const slotOf = ({ slot, server }: Params) => slot ?? server.toLowerCase().replaceAll(/[^a-z0-9_]/g, '_')

async function run(p: Params, context: ActionContext, attempt: Attempt): Promise<Json> {
  const { signal, idempotencyKey, timeoutMs = defaultTimeoutMs } = attempt
  const target = await resolveServer(context, p, signal)
  const leader = await leaderFor(context, p, p.source, signal)
  const server = await localServer(target)
  const running = await server.running()
  await assertMayFollow(target, server, running !== undefined, leader, signal)
  const slot = slotOf(p)
  const earlier = await readNote(context, idempotencyKey, note)
  // The undo is to put back what this step found.
  if (earlier === undefined) await forgetFormerSettings(server.dataDir)
  const created = await ensureSlot(leader.server.url, slot, signal)
  const createdSlot = created ? slot : earlier?.createdSlot
  await writeNote(context, idempotencyKey, {
    wasRunning: earlier?.wasRunning ?? running !== undefined,
    source: leader.server.name,
    ...(createdSlot === undefined ? {} : { createdSlot }),
  })
  await configureFollowing(server.dataDir, { sourceUrl: leader.server.replicationUrl, slot, name: target.name })
  if (running === undefined) await server.start({ detached: true }, signal)
  else await reload(target, signal)
  context.progress({ step: context.step, text: `waiting until ${describeServer(target)} has what ${leader.server.name} has` })
  const { systemIdentifier, timeline, lsn = 0n } = await replicationState(leader.server.url, signal)
  const state = await waitUntilFollowing(
    target.url,
    { systemIdentifier, timeline, lsn, slot },
    { timeoutMs: timeoutMs * waitShare, clock: context.clock, assertRunning: () => assertRunning(server) },
    signal,
  )
  const lag = replicationLag(state)
  return {
    ...identityOf(target, leader, slot),
    replayedLsn: formatLsn(state.lsn ?? 0n),
    lag: { ...lag },
    behind: describeLag(lag),
  }
}

function identityOf(target: NamedServer, { server, state }: Leader, slot: string): Record<string, Json> {
  return { server: target.name, source: server.name, slot, timeline: state.timeline, systemIdentifier: state.systemIdentifier }
}

async function look(p: Params, context: ActionContext, { signal, idempotencyKey, previous }: ProbeContext) {
  if (previous === 'none') return notDone
  const before = await readNote(context, idempotencyKey, note)
  if (before === undefined) return notDone
  const target = await resolveServer(context, p, signal)
  try {
    const leader = await leaderFor(context, p, p.source, signal)
    const { systemIdentifier, timeline } = leader.state
    const slot = slotOf(p)
    // What it must have replayed is known to `run` alone: any position that it has, here.
    const state = await waitUntilFollowing(target.url, { systemIdentifier, timeline, lsn: 0n, slot }, { timeoutMs: 0 }, signal)
    if (state.lsn === undefined || state.lsn < (leader.state.lsn ?? 0n)) return halfDone
    return done({ ...identityOf(target, leader, slot), replayedLsn: formatLsn(state.lsn) })
  } catch (error) {
    signal.throwIfAborted()
    if (!isHoldfastError(error)) throw error
    return halfDone
  }
}

/** Another cluster, a primary, and one with a history of its own cannot follow. */
async function assertMayFollow(
  target: NamedServer,
  { dataDir }: PostgresServer,
  isRunning: boolean,
  { server, state }: Leader,
  signal: AbortSignal,
): Promise<void> {
  const { systemIdentifier, state: was } = await readControlFile(dataDir)
  const refuse = (message: string, hint: string) => new HoldfastError('identity-mismatch', { message, hint })
  if (systemIdentifier !== state.systemIdentifier) {
    throw refuse(
      `${describeServer(target)} is of the cluster ${systemIdentifier}, ${describeServer(server)} of ${state.systemIdentifier}`,
      'look which server is meant; nothing was done to it',
    )
  }
  if (isRunning && !(await replicationState(target.url, signal)).inRecovery) {
    throw refuse(`${describeServer(target)} is running as a primary`, 'fence it, then postgres.rewind, before it follows another')
  }
  // What pg_rewind has just made, or streams already, has no WAL but the other's.
  if (isRunning || ((await isStandby(dataDir)) && was === 'in-archive-recovery')) return
  const divergence = await readDivergence(dataDir, server, { limit: 0 }, signal)
  if (divergence.relation === 'behind' || (divergence.bytes === 0 && divergence.complete)) return
  throw new HoldfastError('divergence-found', {
    message: `${describeServer(target)} cannot follow ${describeServer(server)}: it has what the other has not: ${describeDivergence(divergence)}`,
    hint: 'postgres.rewind takes it out first',
  })
}

async function reload(target: NamedServer, signal: AbortSignal): Promise<void> {
  await using connection = await openSql(target.url, {}, signal)
  await connection.query('select pg_reload_conf()')
}

async function assertRunning(server: PostgresServer): Promise<void> {
  if ((await server.running()) !== undefined) return
  throw new HoldfastError('postgres-failed', {
    message: `the server on ${server.dataDir} ended`,
    hint: `read its log: ${server.logFile}`,
    details: { log: await server.logTail(40) },
  })
}
