import { z } from 'zod'
import { durationText, sizeText } from '../catalog/index.ts'
import { HoldfastError } from '../kernel/index.ts'
import { finishRecovery, inspectServer, preparedRecovery, promoteServer } from '../postgres/index.ts'
import { done, notDone, unknown, type ActionContext, type Attempt, type Probe, type ProbeContext } from './contract.ts'
import { defineAction } from './define-action.ts'
import { outputReference, textOrSecret } from './param-types.ts'
import { serveWal } from './postgres-start.ts'
import { reachOfFolder } from './reach.ts'
import { assertIdentity, serverOn, serverParams } from './restored/server-of.ts'
import { psqlTo } from './servers/manual-server.ts'
import { namedServerParams, resolveServer } from './servers/named-server.ts'
import { probeStreaming, promoteStreaming, streamingFindings, type StreamingPromotion } from './servers/promote-streaming.ts'

const params = z
  .strictObject({
    dataDirectory: serverParams.dataDirectory.optional(),
    user: serverParams.user,
    ...namedServerParams,
    url: textOrSecret.describe('A streaming standby that the catalog does not declare.').optional(),
    systemIdentifier: z
      .string()
      .regex(/^(?:\d+|\$\{steps\..*)$/)
      .describe('The cluster that a streaming standby must be of. Default: that of the service’s other servers.')
      .optional(),
    maxLag: sizeText.describe('How much WAL a streaming standby may lack; more is refused.').default('16MiB'),
    heartbeat: z
      .strictObject({
        sql: z
          .string()
          .regex(/\S/)
          .describe('A query for the newest time that the primary wrote down, such as `select max(at) from heartbeat`.'),
        maxAge: durationText.describe('How old it may be.'),
      })
      .describe('Says how far a streaming standby is behind when the primary cannot: it has all that was committed until then.')
      .optional(),
    acceptUnknownLag: z
      .boolean()
      .describe('Promotes a standby of which nobody knows how far it is behind. Recorded.')
      .default(false),
    acceptDivergence: z
      .boolean()
      .describe('Promotes although another server may still take writes: two histories that nobody can join. Recorded.')
      .default(false),
    fencedBy: z
      .string()
      .describe('The id of an earlier step that keeps the old primary from writing by other means than postgres.fence.')
      .optional(),
  })
  .refine(({ dataDirectory, server, url }) => [dataDirectory, server, url].filter((one) => one !== undefined).length === 1, {
    message: "a promotion needs one of 'server', 'url' and 'dataDirectory'",
  })

type Params = z.infer<typeof params>

/** Makes a recovered server, or a streaming standby, writable, on a timeline of its own. The point of no return of most recoveries. */
export const postgresPromote = defineAction<Params>({
  kind: 'postgres.promote',
  description:
    'Makes a PostgreSQL server writable, on a timeline of its own. From here on a run only goes forward. With `dataDirectory`, a server that was recovered. With `server` or `url`, a streaming standby: only when it is of the right cluster, replays, is known to be at most `maxLag` bytes of WAL behind, has replayed all that it received, and nobody else takes writes (seen, or fenced by a step before). How far it is behind is never read from the time of the last transaction. Outputs: `url`, `timeline`, `lsn`, `systemIdentifier`; for a standby also `lag`, `mayBeLost`, `fence`, `accepted`, and `reopened`: the databases that a fence by SQL had closed, which the standby has replayed.',
  example: { server: 'west', maxLag: '1MiB' },
  effect: 'point-of-no-return',
  params,

  async preflight(p, context, signal) {
    if (p.dataDirectory !== undefined || (typeof p.url === 'string' && outputReference.test(p.url))) return []
    return await streamingFindings(await streaming(p, context, signal), context, signal)
  },

  async probe(p, context, probe) {
    if (p.dataDirectory === undefined) return await probeStreaming(await streaming(p, context, probe.signal), context, probe)
    return await probeRecovered({ ...p, dataDirectory: p.dataDirectory }, context, probe)
  },

  async run(p, context, attempt) {
    if (p.dataDirectory === undefined) {
      return await promoteStreaming(await streaming(p, context, attempt.signal), context, attempt)
    }
    return await promoteRecovered({ ...p, dataDirectory: p.dataDirectory }, context, attempt)
  },

  reach: ({ dataDirectory }, sandbox) => (dataDirectory === undefined ? 'outside' : reachOfFolder(dataDirectory, sandbox)),

  manual(p, catalog) {
    if (p.dataDirectory !== undefined) return [`psql -U ${p.user ?? 'postgres'} -c 'select pg_promote(wait => true)'`]
    const psql = psqlTo(p, catalog)
    return [
      `${psql} -c "select pg_is_in_recovery(), pg_get_wal_replay_pause_state(), pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn(), (select latest_end_lsn from pg_stat_wal_receiver)"   # t, not paused, the same positions; the old primary is fenced`,
      `${psql} -c 'select pg_promote(wait => true)'`,
    ]
  },
})

type Recovered = Params & { readonly dataDirectory: string }

async function probeRecovered(p: Recovered, context: ActionContext, { signal }: ProbeContext): Promise<Probe> {
  const server = await serverOn(p, context)
  if ((await server.running()) === undefined) {
    // With its settings still there it was not told to; without them it was, and nobody can ask it what it wrote.
    return (await preparedRecovery(p.dataDirectory)) === undefined
      ? unknown(`no server is running on ${p.dataDirectory}`)
      : notDone
  }
  const facts = await inspectServer(server.url, signal)
  const isFinished = !facts.inRecovery && (await preparedRecovery(p.dataDirectory)) === undefined
  return isFinished ? done({ url: server.url, timeline: facts.timeline, systemIdentifier: facts.systemIdentifier }) : notDone
}

async function promoteRecovered(p: Recovered, context: ActionContext, { signal }: Attempt) {
  const server = await serverOn(p, context)
  if ((await server.running()) === undefined) {
    throw new HoldfastError('postgres-unreachable', {
      message: `no server is running on ${p.dataDirectory}`,
      hint: 'start it again: the step postgres.start comes before this one',
    })
  }
  const { systemIdentifier } = await assertIdentity(server, signal)
  await using serving = await serveWal(p.dataDirectory, context, signal)
  context.progress({ step: context.step, text: `promoting${serving === undefined ? '' : `, WAL from ${serving.location}`}` })
  const { timeline, lsn } = await promoteServer(server.url, { clock: context.clock }, signal)
  await finishRecovery(p.dataDirectory)
  return { url: server.url, systemIdentifier, timeline, lsn }
}

async function streaming(p: Params, context: ActionContext, signal: AbortSignal): Promise<StreamingPromotion> {
  const { systemIdentifier, maxLag, acceptUnknownLag, acceptDivergence, fencedBy, heartbeat } = p
  const more = { systemIdentifier, maxLag, acceptUnknownLag, acceptDivergence, fencedBy, heartbeat }
  if (p.server !== undefined) {
    const named = await resolveServer(context, { server: p.server, service: p.service }, signal)
    return { ...more, url: named.url, isPlain: typeof named.place.url === 'string', named }
  }
  const url = p.url ?? ''
  if (typeof url === 'string') return { ...more, url, isPlain: true, named: undefined }
  return { ...more, url: (await context.resolveSecret(url, signal)).reveal(), isPlain: false, named: undefined }
}
