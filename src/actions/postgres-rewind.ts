import { z } from 'zod'
import { text } from '../catalog/index.ts'
import { blocker, HoldfastError, isHoldfastError, type Json } from '../kernel/index.ts'
import {
  configureFollowing,
  isRewound,
  readControlFile,
  readDivergence,
  readOwnConfiguration,
  requireRewind,
  rewind,
  serverProcesses,
  writeOwnConfiguration,
  type Divergence,
} from '../postgres/index.ts'
import { done, notDone, unknown, type ActionContext, type Attempt, type Finding } from './contract.ts'
import { defineAction } from './define-action.ts'
import { installationFor } from './restored/server-of.ts'
import { describeDivergence, saveDivergence } from './servers/divergence-report.ts'
import { leaderFor, type Leader } from './servers/leader.ts'
import { dataDirectoryWord, declared, urlAsWord } from './servers/manual-server.ts'
import {
  describeServer,
  isSameFolder,
  namedServerParams,
  requireLocal,
  resolveServer,
  type NamedServer,
} from './servers/named-server.ts'
import { readNote, writeNote } from './step-notes.ts'

const params = z.strictObject({
  server: text.describe('The old primary, by its name in the catalog. It must be on this machine, and not running.'),
  service: namedServerParams.service,
  source: text.describe('The server that leads now, by its name. Default: the only other one that is a primary.').optional(),
  discardDivergence: z
    .boolean()
    .describe(
      'Throws away transactions that the old primary committed and nobody else has. They are written down beside the run first.',
    )
    .default(false),
})

type Params = z.infer<typeof params>

const note = z.strictObject({
  /** Its configuration files, until they are in their places again: they may hold a password. */
  own: z.record(z.string(), z.string()).optional(),
  timeline: z.int(),
  facts: z.record(z.string(), z.json()),
})

interface Noted {
  readonly own?: Readonly<Record<string, string>> | undefined
  readonly timeline: number
  readonly facts: Readonly<Record<string, Json>>
}

/** Takes what only the old primary has out of it, after writing down what that is, so that it can follow the new one. */
export const postgresRewind = defineAction<Params>({
  kind: 'postgres.rewind',
  description:
    'Makes the data directory of an old primary fit to follow the server that leads now, with pg_rewind. First it writes down what would be thrown away: the WAL behind the fork, each committed transaction with its time, and the rows changed in each table; the report lies in the run’s folder. Committed transactions are thrown away only with `discardDivergence: true`. Its configuration files stay its own, and it is left as a standby, so that nobody starts it as a primary by mistake; postgres.follow starts it. Refuses a running server, another cluster, and a source that is the target. Needs data checksums or `wal_log_hints`. Outputs: `rewound`, `divergence`, `report`, `discarded` (a number of transactions), `timeline`.',
  example: { server: 'primary', source: 'west' },
  effect: 'point-of-no-return',
  params,

  async preflight(p, context, signal) {
    const findings: Finding[] = []
    try {
      const target = await resolveServer(context, p, signal)
      await assertFit(target)
      const leader = await leaderFor(context, p, p.source, signal)
      await assertApart(target, leader)
      const divergence = await measure(target, leader, signal)
      if (divergence.commits > 0 || !divergence.complete) findings.push(divergenceFinding(divergence, p))
    } catch (error) {
      if (!isHoldfastError(error)) throw error
      const { code, message, hint } = error
      findings.push(blocker(code, message, hint))
    }
    return findings
  },

  async probe(p, context, { signal, idempotencyKey, previous }) {
    const before = await readNote(context, idempotencyKey, note)
    if (previous === 'none' || before === undefined) return notDone
    const dataDir = requireLocal(await resolveServer(context, p, signal))
    const isThere = await isRewound(dataDir, before.timeline)
    if (!isThere) return unknown(`pg_rewind was cut short on ${dataDir}: it is of no use until pg_rewind has been run to its end`)
    if ((await serverProcesses(dataDir)).length === 0) await settle(p, before, context, { signal, idempotencyKey })
    return done({ ...before.facts, rewound: true })
  },

  run: async (p, context, attempt) => await run(p, context, attempt),

  manual(p, catalog) {
    const dataDirectory = dataDirectoryWord(p, catalog)
    const source = urlAsWord(
      declared({ server: p.source, service: p.service }, catalog)?.place.url,
      p.source ?? 'leader',
      catalog,
    )
    return [
      `holdfast postgres divergence ${p.service ?? declared(p, catalog)?.service ?? 'SERVICE'} --of ${p.server}   # what would be thrown away`,
      `psql ${source} -c checkpoint`,
      `pg_rewind --target-pgdata=${dataDirectory} --source-server=${source} --progress   # as the account of the server, which is stopped`,
      `touch ${dataDirectory}/standby.signal   # before anybody starts it; then put its own configuration files back`,
    ]
  },
})

async function run(p: Params, context: ActionContext, { signal, idempotencyKey }: Attempt): Promise<Json> {
  const target = await resolveServer(context, p, signal)
  const dataDir = requireLocal(target)
  const leader = await leaderFor(context, p, p.source, signal)
  await assertFit(target)
  await assertApart(target, leader)
  const pids = await serverProcesses(dataDir)
  if (pids.length > 0) {
    throw new HoldfastError('identity-mismatch', {
      message: `process ${pids[0]} works on ${dataDir}: a running server is not rewound`,
      hint: 'look whether it is the one you mean, then stop it: postgres.stop or postgres.fence before this step',
    })
  }
  const before = await readNote(context, idempotencyKey, note)
  let facts: Readonly<Record<string, Json>> | undefined = before?.facts
  if (facts === undefined) {
    const divergence = await measure(target, leader, signal)
    const { summary, file } = await saveDivergence(context, divergence)
    const found = {
      server: target.name,
      source: leader.server.name,
      divergence: summary,
      report: file,
      timeline: leader.state.timeline,
    }
    if (divergence.relation === 'behind' || (divergence.bytes === 0 && divergence.complete))
      return { ...found, rewound: false, discarded: 0 }
    if ((divergence.commits > 0 || !divergence.complete) && !p.discardDivergence) throw divergenceError(divergence, file)
    facts = { ...found, discarded: divergence.commits }
  }
  // What was cut short may have the other's by now; what was not begun, or has come to its end, has its own.
  const own = before?.own ?? (await readOwnConfiguration(dataDir))
  const noted = { own, timeline: leader.state.timeline, facts }
  await writeNote(context, idempotencyKey, noted)
  if (!(await isRewound(dataDir, leader.state.timeline))) {
    const { config_file: configFile } = target.place.settings
    await rewind(
      {
        dataDir,
        installation: installationFor(dataDir, target.place.binDirectory),
        sourceUrl: leader.server.url,
        onOutput: (line) => context.progress({ step: context.step, text: line }),
        ...(target.place.runAs === undefined ? {} : { account: target.place.runAs }),
        ...(configFile === undefined ? {} : { configFile }),
      },
      signal,
    )
  }
  await settle(p, noted, context, { signal, idempotencyKey })
  return { ...noted.facts, rewound: true }
}

/** Its own configuration again, and a standby: started without that, it would come up as a second primary on the new timeline. */
async function settle(
  p: Params,
  { own = {}, ...rest }: Noted,
  context: ActionContext,
  { signal, idempotencyKey }: Pick<Attempt, 'signal' | 'idempotencyKey'>,
): Promise<void> {
  const dataDir = requireLocal(await resolveServer(context, p, signal))
  const { server } = await leaderFor(context, p, p.source, signal)
  await writeOwnConfiguration(dataDir, own)
  await configureFollowing(dataDir, { sourceUrl: server.replicationUrl, slot: undefined, name: p.server })
  await writeNote(context, idempotencyKey, rest)
}

async function measure(target: NamedServer, { server }: Leader, signal: AbortSignal): Promise<Divergence> {
  return await readDivergence(requireLocal(target), server, {}, signal)
}

/** pg_rewind is there, and pages changed by hints can be found. */
async function assertFit(target: NamedServer): Promise<void> {
  const dataDir = requireLocal(target)
  await requireRewind(installationFor(dataDir, target.place.binDirectory))
  const { dataChecksums, walLogHints } = await readControlFile(dataDir)
  if (dataChecksums || walLogHints) return
  throw new HoldfastError('postgres-setting', {
    message: `${describeServer(target)} has neither data checksums nor wal_log_hints, so pg_rewind cannot find what changed`,
    hint: 'make a new standby from a base backup; then set wal_log_hints = on, or pg_checksums --enable',
  })
}

/** The same cluster, two servers, and the source is ahead. */
async function assertApart(target: NamedServer, { server, state }: Leader): Promise<void> {
  const dataDir = requireLocal(target)
  const { systemIdentifier } = await readControlFile(dataDir)
  if (systemIdentifier !== state.systemIdentifier) {
    throw new HoldfastError('identity-mismatch', {
      message: `${describeServer(target)} is of the cluster ${systemIdentifier}, ${describeServer(server)} of ${state.systemIdentifier}`,
      hint: 'look which server is meant; nothing was done to it',
    })
  }
  // A server elsewhere may have its data at the same path.
  const isHere = server.dataDirectory !== undefined && isSameFolder(server.dataDirectory, dataDir)
  const saysHere = server.isHere && state.dataDirectory !== undefined && isSameFolder(state.dataDirectory, dataDir)
  if (!isHere && !saysHere) return
  throw new HoldfastError('target-is-source', {
    message: `${describeServer(target)} and ${describeServer(server)} have the same data directory, ${dataDir}`,
    hint: 'look at dataDirectory and url in the catalog',
  })
}

function divergenceFinding(divergence: Divergence, { discardDivergence }: Params): Finding {
  const message = `what the old primary has and nobody else: ${describeDivergence(divergence)}`
  if (discardDivergence) return { severity: 'warning', code: 'divergence-discarded', message: `thrown away: ${message}` }
  const { code, hint } = divergenceError(divergence)
  return blocker(code, message, hint)
}

function divergenceError(divergence: Divergence, file?: string): HoldfastError {
  return new HoldfastError('divergence-found', {
    message: `rewinding would throw away what nobody else has: ${describeDivergence(divergence)}`,
    hint: `${file === undefined ? '`holdfast postgres divergence` lists it' : `it is listed in ${file}`}; save what matters, then say \`discardDivergence: true\``,
    details: { commits: divergence.commits, ...(file === undefined ? {} : { file }) },
  })
}
