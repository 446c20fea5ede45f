import { z } from 'zod'
import { HoldfastError, type Json } from '../kernel/index.ts'
import {
  createFetcher,
  formatLsn,
  isStandby,
  openSql,
  openWalArchive,
  preparedRecovery,
  readControlFile,
  waitUntilRecovered,
  walOnDisk,
  type PostgresServer,
  type PreparedRecovery,
} from '../postgres/index.ts'
import { done, halfDone, notDone, type ActionContext, type RecoveryTarget } from './contract.ts'
import { defineAction } from './define-action.ts'
import { assertIdentity, restoredFacts, serverOn, serverParams } from './restored/server-of.ts'
import { reachOfFolder } from './reach.ts'
import { dataDirectoryWord } from './servers/manual-server.ts'
import { leadOpinion } from './servers/lead-opinion.ts'
import {
  describeServer,
  findServer,
  namedServerParams,
  namesOneServerHere,
  serverHere,
  type DeclaredServer,
} from './servers/named-server.ts'
import { surveyOthers } from './servers/survey.ts'

const parts = z.strictObject({
  ...serverParams,
  dataDirectory: serverParams.dataDirectory.optional(),
  ...namedServerParams,
  listen: z
    .enum(['private', 'loopback', 'configured'])
    .describe(
      'private: a socket that only its account and root reach. loopback: and 127.0.0.1. configured: as its own configuration says.',
    )
    .default('private'),
  port: z.int().min(1).max(65_535).describe('Default: as the service’s entry in the catalog says.').optional(),
  socketDirectory: z.string().describe('Default: as the service’s entry in the catalog says.').optional(),
  sandbox: z
    .boolean()
    .describe(
      'A copy that is only looked at: a private socket alone, no archiving, no replication, whatever its configuration and the catalog say. A drill sets it.',
    )
    .default(false),
  settings: z.record(z.string(), z.string()).describe('Stronger than its configuration files, for this start.').default({}),
})
const params = parts.refine(...namesOneServerHere)
type Params = z.infer<typeof parts>

/** Starts a restored server, which recovers to the run's target and pauses there, read-only, to be looked at. It outlives this process. */
export const postgresStart = defineAction<Params>({
  kind: 'postgres.start',
  description:
    'Starts a restored PostgreSQL server, which replays WAL to the run’s target and pauses there, read-only, to be looked at. Among its outputs are `url` and `dataDirectory`. The server outlives the run; the undo stops it.',
  example: { dataDirectory: '${steps.restore.dataDirectory}' },
  effect: 'reversible',
  params,

  /** A server that recovers already is waited for by `run`. One that is a primary is past what this step does. */
  async probe(p, context, { signal }) {
    const server = await serverFor(p, context, signal)
    if ((await server.running()) === undefined) return notDone
    if ((await preparedRecovery(server.dataDir)) !== undefined) return halfDone
    return done(await describe(server, undefined, context.target, signal))
  },

  async run(p, context, { signal }) {
    const server = await serverFor(p, context, signal)
    const prepared = await preparedRecovery(server.dataDir)
    if (p.server !== undefined) {
      const place = { ...findServer(context.catalog, { server: p.server, service: p.service }), dataDirectory: server.dataDir }
      await assertMayLead(place, prepared !== undefined, context, signal)
    }
    await using serving = await serveWal(server.dataDir, context, signal)
    if (serving !== undefined) context.progress({ step: context.step, text: `WAL comes from ${serving.location}` })
    try {
      await server.start({ detached: true }, signal)
      if (prepared === undefined) return await describe(server, undefined, context.target, signal)
      await waitUntilRecovered(
        server.url,
        prepared,
        {
          clock: context.clock,
          assertRunning: () => assertRunning(server),
          onProgress: ({ lsn, lastCommit }) =>
            context.progress({
              step: context.step,
              text: `replayed to ${lsn ?? 'its beginning'}${lastCommit === undefined ? '' : `, ${lastCommit}`}`,
            }),
        },
        signal,
      )
      return await describe(server, prepared, context.target, signal)
    } catch (error) {
      // Nobody waits for it any more; its log stays.
      await server.stop('fast')
      throw error
    }
  },

  async undo(p, _output, context, { signal }) {
    const server = await serverFor(p, context, signal)
    if ((await server.running()) !== undefined) await server.stop('fast')
  },

  reach: ({ dataDirectory }, sandbox) => (dataDirectory === undefined ? 'outside' : reachOfFolder(dataDirectory, sandbox)),
  inSandbox: ({ port: _port, socketDirectory: _socketDirectory, ...p }) => ({
    params: { ...p, listen: 'private', sandbox: true },
  }),

  manual: (p, catalog) => [
    `pg_ctl -D ${dataDirectoryWord(p, catalog)} -w start   # as the account of the server, not as root`,
    `psql -c 'select pg_last_wal_replay_lsn(), pg_last_xact_replay_timestamp(), pg_get_wal_replay_pause_state()'   # wait until it is paused, or moves no more`,
  ],
  manualUndo: (p, catalog) => [`pg_ctl -D ${dataDirectoryWord(p, catalog)} -m fast -w stop`],
})

async function serverFor(p: Params, context: ActionContext, signal: AbortSignal): Promise<PostgresServer> {
  const { dataDirectory } = p
  return dataDirectory === undefined ? await serverHere(p, context, signal) : await serverOn({ ...p, dataDirectory }, context)
}

/**
 * An old primary that comes back as one, while another leads or has led since, would take writes that nobody can join to the other's. One that was restored
 * goes back in time on purpose: that another has led since is no reason against it, that another leads is.
 */
async function assertMayLead(
  declared: DeclaredServer & { readonly dataDirectory: string },
  isRestored: boolean,
  context: ActionContext,
  signal: AbortSignal,
): Promise<void> {
  const { dataDirectory } = declared
  if (await isStandby(dataDirectory)) return
  const { systemIdentifier } = await readControlFile(dataDirectory)
  const { timeline } = await walOnDisk(dataDirectory).catch(() => readControlFile(dataDirectory))
  for (const { server, sight } of await surveyOthers(context, declared, signal)) {
    const says = leadOpinion(sight, { systemIdentifier, timeline })
    if (says !== 'leads' && (says !== 'led-since' || isRestored)) continue
    const why =
      sight.kind === 'primary' ? `is one: ${sight.because}` : `is on a later timeline than ${timeline}, or led on it too`
    throw new HoldfastError('identity-mismatch', {
      message: `${describeServer(declared)} would come up as a primary, and ${describeServer(server)} ${why}`,
      hint: 'bring it back as a standby: postgres.rewind, then postgres.follow',
    })
  }
}

interface Serving extends AsyncDisposable {
  /** Of the repository that the WAL comes from. */
  readonly location: string
}

/** Answers the server's requests for WAL from this process while it recovers; undefined for a data directory that no step restored. */
export async function serveWal(dataDirectory: string, context: ActionContext, signal: AbortSignal): Promise<Serving | undefined> {
  const facts = await restoredFacts(dataDirectory)
  const prepared = await preparedRecovery(dataDirectory)
  if (facts === undefined || prepared === undefined) return undefined
  const repository = await context.openRepository(facts.repository, signal)
  try {
    const archive = openWalArchive(repository.area('holdfast/wal'), facts.systemIdentifier)
    const fetcher = await createFetcher({
      dataDir: dataDirectory,
      archive,
      untilDamage: prepared.endedBy === 'damage',
      ...context.fetching(facts.repository),
    })
    return {
      location: repository.location,
      async [Symbol.asyncDispose]() {
        await fetcher[Symbol.asyncDispose]()
        await repository[Symbol.asyncDispose]()
      },
    }
  } catch (error) {
    await repository[Symbol.asyncDispose]()
    throw error
  }
}

async function assertRunning(server: PostgresServer): Promise<void> {
  if ((await server.running()) !== undefined) return
  throw new HoldfastError('postgres-failed', {
    message: `the server on ${server.dataDir} ended while it recovered`,
    hint: `read its log: ${server.logFile}`,
    details: { logFile: server.logFile, log: await server.logTail(40) },
  })
}

async function describe(
  server: PostgresServer,
  prepared: PreparedRecovery | undefined,
  target: RecoveryTarget,
  signal: AbortSignal,
): Promise<Json> {
  const facts = await assertIdentity(server, signal)
  const restored = await restoredFacts(server.dataDir)
  const lastCommit = await lastCommitOf(server, signal)
  return {
    service: restored?.service ?? null,
    dataDirectory: server.dataDir,
    url: server.url,
    logFile: server.logFile,
    systemIdentifier: facts.systemIdentifier,
    timeline: prepared?.timeline ?? facts.timeline,
    inRecovery: facts.inRecovery,
    reachedLsn: facts.lsn === undefined ? null : formatLsn(facts.lsn),
    lastCommit: lastCommit ?? null,
    recoveredUntil: recoveredUntil(target, lastCommit, restored?.completeUntil) ?? null,
  }
}

/** Up to when everything that was committed is there: as a time, later than the last commit where the archive shows that none came after. */
function recoveredUntil(
  target: RecoveryTarget,
  lastCommit: string | undefined,
  completeUntil: string | undefined,
): string | undefined {
  if (target.kind === 'lsn') return lastCommit
  const proven = target.kind === 'time' ? new Date(target.time).toISOString() : completeUntil
  if (proven === undefined || lastCommit === undefined) return proven ?? lastCommit
  return Date.parse(proven) > Date.parse(lastCommit) ? proven : lastCommit
}

async function lastCommitOf(server: PostgresServer, signal: AbortSignal): Promise<string | undefined> {
  await using connection = await openSql(server.url, {}, signal)
  const [row] = await connection.query(
    `select to_char(pg_last_xact_replay_timestamp() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as last_commit`,
  )
  return row?.last_commit ?? undefined
}
