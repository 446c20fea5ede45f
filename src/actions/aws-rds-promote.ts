import { z } from 'zod'
import { awsParams, regionName, isRefusal } from '../aws/index.ts'
import { durationText, serviceName } from '../catalog/index.ts'
import { HoldfastError, isHoldfastError } from '../kernel/index.ts'
import { awsLine, cliCredentials } from './aws/cli.ts'
import { pause } from './pause.ts'
import { readReplicaLag } from './aws/rds-lag.ts'
import { lagFindings, problemOf, stateWarnings, usable } from './aws/rds-readiness.ts'
import { openRds, type DatabaseState, type Rds } from './aws/rds-replica.ts'
import { awsName } from './aws/name.ts'
import { done, notDone, unknown, type ActionContext, type Probe } from './contract.ts'
import { defineAction } from './define-action.ts'
import { outputReference } from './param-types.ts'
import { readNote, writeNote } from './step-notes.ts'

const params = z.strictObject({
  region: regionName,
  replica: awsName.describe('The identifier of the read replica. For Aurora this is not the way: its clusters fail over.'),
  source: awsName
    .describe(
      'What it must be a replica of, as AWS names it there: the identifier, or in another region the ARN. Else it is refused.',
    )
    .optional(),
  service: serviceName
    .describe('The service whose data it holds: up to when that came back, by the last figure of the lag, goes on record for it.')
    .optional(),
  maxLag: durationText
    .describe('Refused when the replica was further behind than this by the last figure of its lag.')
    .default('5m'),
  lagMaxAge: durationText
    .describe('An older figure of the lag says nothing: the lag is then unknown. Measured before the plan begins.')
    .default('15m'),
  acceptUnknownLag: z
    .boolean()
    .describe('Promotes also when nobody knows how far it is behind; else that is refused.')
    .default(false),
  backupRetentionDays: z
    .int()
    .min(0)
    .max(35)
    .describe(
      'For how many days RDS keeps automated backups of the promoted database. Default: what AWS does by itself, one day.',
    )
    .optional(),
  ...awsParams,
})

type Params = z.infer<typeof params>

/** When AWS was asked, and whether it answered that it will. */
const note = z.strictObject({ askedAt: z.string(), accepted: z.boolean(), source: z.string(), resourceId: z.string().nullable() })
type Note = z.infer<typeof note>

const pollMs = 2000
/** By when a request whose answer was lost shows in the state of the instance. Less than a probe has. */
const settleMs = 45_000

/**
 * Promotes an RDS read replica to a database of its own. The point of no return. Done is what RDS calls usable and no longer a replica: that
 * it accepted to promote is not enough.
 */
export const awsRdsPromote = defineAction<Params>({
  kind: 'aws.rds.promote',
  description:
    'Promotes an RDS read replica to a database of its own, and waits until RDS calls it usable and no longer a replica: that the request was accepted is not enough. Before the plan begins its lag must be known from CloudWatch and within `maxLag`; an unknown lag is refused unless `acceptUnknownLag`. It must be a replica (of `source`, when given) and `available`, and that is looked at again immediately before. Interrupted, it waits for a promotion that is under way; one that AWS accepted and that does not show is unknown, and a person decides. Outputs: `replica`, `endpoint` with `address` and `port`, `source`, `resourceId`, `backupRetentionDays`; with `service` also `recoveredUntil`.',
  example: { region: 'us-west-2', replica: 'api-db-replica-west', maxLag: '1m', backupRetentionDays: 7 },
  effect: 'point-of-no-return',
  params,

  async preflight(p, context, signal) {
    if (outputReference.test(p.replica)) return []
    using rds = await openRds(p, context, signal)
    const state = await rds.find(p.replica)
    const problem = problemOf(p, state)
    if (problem !== undefined || state === undefined) return problem === undefined ? [] : [problem]
    return [...stateWarnings(p, state), ...(await lagFindings(p, context, signal))]
  },

  async probe(p, context, { signal, idempotencyKey, previous }) {
    using rds = await openRds(p, context, signal)
    const asked = previous === 'none' ? undefined : await readNote(context, idempotencyKey, note)
    const startedMs = context.clock.monotonicMs()
    const settleForMs = previous === 'interrupted' ? settleLeft(asked, context) : 0
    for (;;) {
      const state = await rds.find(p.replica)
      const found = judge(p, state, asked)
      if (found.state === 'done' && state !== undefined)
        return done({ ...outcome(state, asked), ...(await recoveryPoint(p, context, signal)) })
      const isUnderWay = found.state === 'unknown' && asked?.accepted === true && isSame(state, asked)
      // Asked, and nothing to be seen yet: it may still begin.
      const mayBegin = found.state === 'not-done' && context.clock.monotonicMs() - startedMs < settleForMs
      if (!isUnderWay && !mayBegin) return found
      try {
        await context.clock.sleep(pollMs, signal)
      } catch (error) {
        if (!signal.aborted) throw error
        return isUnderWay ? found : unknown(`AWS was asked to promote ${p.replica}, which may still begin`)
      }
    }
  },

  async run(p, context, { signal, idempotencyKey }) {
    using rds = await openRds(p, context, signal)
    let asked = await readNote(context, idempotencyKey, note)
    if (asked?.accepted !== true) {
      // Again, immediately before: minutes may lie between the preflight and this.
      const state = await rds.find(p.replica)
      const problem = problemOf(p, state)
      if (problem !== undefined || state?.source === undefined) {
        throw new HoldfastError(problem?.code === 'other-source' ? 'identity-mismatch' : 'command-failed', {
          message: problem?.message ?? `${p.replica} is no replica`,
          ...(problem?.hint === undefined ? {} : { hint: problem.hint }),
        })
      }
      const { source, resourceId } = state
      asked = { askedAt: context.clock.now().toISOString(), accepted: false, source, resourceId }
      await writeNote(context, idempotencyKey, asked)
      await ask(rds, p)
      asked = { ...asked, accepted: true }
      await writeNote(context, idempotencyKey, asked)
    }
    const promoted = await waitUntilPromoted(rds, p, asked, context, signal)
    return { ...outcome(promoted, asked), ...(await recoveryPoint(p, context, signal)) }
  },

  manual: ({ replica, backupRetentionDays, ...target }, catalog) => {
    const which = ['--db-instance-identifier', replica]
    const fields = 'DBInstances[0].[DBInstanceStatus,ReadReplicaSourceDBInstanceIdentifier,Endpoint.Address]'
    const look = awsLine(target, ['rds', 'describe-db-instances', ...which, '--query', fields, '--output', 'text'])
    const days = backupRetentionDays === undefined ? [] : ['--backup-retention-period', String(backupRetentionDays)]
    return [
      ...cliCredentials(target, catalog),
      `${look}   # before: expect available, and the source that it replicates`,
      awsLine(target, ['rds', 'promote-read-replica', ...which, ...days]),
      '# it stays `available` for a moment before it begins: look again until the source is gone',
      `until ${look} | grep -E '^(available|backing-up)[[:space:]]+None[[:space:]]'; do sleep 5; done   # done: no source any more`,
    ]
  },
})

/** Sends the request. An answer that got lost is `outcome-unknown`: the probe settles it. */
async function ask(rds: Rds, { replica, backupRetentionDays }: Params): Promise<void> {
  try {
    await rds.promote(replica, backupRetentionDays)
  } catch (error) {
    if (isRefusal(error) || !isHoldfastError(error, 'command-failed')) throw error
    throw new HoldfastError('outcome-unknown', {
      message: `whether AWS will promote ${replica} is not known: ${error.message}`,
      retryable: true,
      cause: error,
    })
  }
}

async function waitUntilPromoted(
  rds: Rds,
  { replica }: Params,
  asked: Note,
  context: ActionContext,
  signal: AbortSignal,
): Promise<DatabaseState> {
  for (;;) {
    const state = await rds.find(replica)
    if (!isSame(state, asked)) {
      throw new HoldfastError('outcome-unknown', {
        message: `${replica} was told to be promoted, and ${state === undefined ? 'is gone' : 'is another database now'}`,
        hint: 'see in the AWS console what became of it',
      })
    }
    if (state.source === undefined && usable.has(state.status)) return state
    const text = `${replica} is ${state.status}${state.source === undefined ? '' : ', and still a replica'}`
    context.progress({ step: context.step, text })
    await pause(context.clock, pollMs, signal, text)
  }
}

/** Not another one of the same name. */
function isSame(state: DatabaseState | undefined, { resourceId }: Note): state is DatabaseState {
  return state !== undefined && (resourceId === null || state.resourceId === resourceId)
}

/**
 * Up to when the service's data came back at least: at the time of the figure the replica was no further behind. Null where no figure can be
 * had: unknown is not on record as anything else.
 */
async function recoveryPoint(p: Params, context: ActionContext, signal: AbortSignal) {
  if (p.service === undefined) return {}
  const lag = await readReplicaLag(p, p.replica, context, signal).catch((error: unknown) => {
    if (isHoldfastError(error)) return undefined
    throw error
  })
  const until = lag === undefined ? null : new Date(lag.at.getTime() - lag.seconds * 1000).toISOString()
  return { service: p.service, recoveredUntil: until }
}

/** What the state of the instance says of the promotion. */
function judge({ replica }: Params, state: DatabaseState | undefined, asked: Note | undefined): Probe {
  if (state === undefined) return unknown(`there is no database ${replica} any more`)
  const { status, source } = state
  if (asked !== undefined && !isSame(state, asked))
    return unknown(`${replica} is another database than the one that was to be promoted`)
  if (source === undefined) return usable.has(status) ? done() : unknown(`${replica} is no replica any more, and is ${status}`)
  if (asked?.accepted === true) return unknown(`AWS accepted to promote ${replica}, which is ${status}, and still a replica`)
  return usable.has(status) || status === 'stopped' ? notDone : unknown(`${replica} is a replica, and is ${status}`)
}

/** For how long a request that AWS may have got could still show. A clock that went back counts as no time at all. */
function settleLeft(asked: Note | undefined, { clock }: Pick<ActionContext, 'clock'>): number {
  if (asked === undefined) return 0
  const passedMs = clock.now().getTime() - Date.parse(asked.askedAt)
  return passedMs < 0 ? settleMs : Math.max(0, settleMs - passedMs)
}

function outcome({ name, endpoint, resourceId, backupRetentionDays }: DatabaseState, asked: Note | undefined) {
  return { replica: name, endpoint, resourceId, backupRetentionDays, source: asked?.source ?? null }
}
