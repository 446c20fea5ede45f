import { z } from 'zod'
import { blocker, HoldfastError, isHoldfastError, messageOf, parseDuration, tryParseSize, type Json } from '../../kernel/index.ts'
import {
  describeLag,
  describeUrl,
  formatLsn,
  openSql,
  promoteServer,
  isClosedTo,
  promotionState,
  reopenDatabases,
  replayPaused,
  replicationLag,
  replicationState,
  stillClosed,
  waitUntilReplayed,
  withDatabase,
  type Heartbeat,
  type ReplicationLag,
  type ReplicationState,
} from '../../postgres/index.ts'
import {
  done,
  notDone,
  unknown,
  type ActionContext,
  type Attempt,
  type Finding,
  type Probe,
  type ProbeContext,
} from '../contract.ts'
import { readNote, writeNote } from '../step-notes.ts'
import { closedByFences, fencingStep, requireNoOtherWriter, type FenceEvidence } from './other-writers.ts'
import { identifiersOf, leaderPosition, lookAgain, surveyOthers, type SeenServer } from './survey.ts'
import { waitForSender } from './wait-for-sender.ts'

export interface StreamingPromotion {
  readonly url: string
  /** As it is given, where `url` leads to another database of the server. */
  readonly address?: string
  /** Safe to be shown: the URL is not a secret. */
  readonly isPlain: boolean
  /** Absent for one that the catalog does not declare. */
  readonly named: { readonly service: string; readonly name: string } | undefined
  readonly systemIdentifier: string | undefined
  readonly maxLag: string
  readonly acceptUnknownLag: boolean
  readonly acceptDivergence: boolean
  readonly fencedBy: string | undefined
  readonly heartbeat: { readonly sql: string; readonly maxAge: string } | undefined
}

const note = z.strictObject({ systemIdentifier: z.string(), timeline: z.int(), facts: z.record(z.string(), z.json()) })

const replayMs = 60_000
/** Longer than a promotion takes; within the time that a probe has. */
const settleMs = 40_000
/** A server that did not answer so recently is not asked once more before the promotion. */
const freshMs = 1000
/**
 * Where a server's silence decides nothing, it is not waited for: before a plan begins, and once a step has fenced it. One that is there all the
 * same, and so contradicts the fence, answers within a round trip.
 */
const brieflyMs = 500

/** What is wrong with promoting it, before a plan begins. The primary may be alive then: a later step fences it. */
export async function streamingFindings(
  named: StreamingPromotion,
  context: ActionContext,
  signal: AbortSignal,
): Promise<Finding[]> {
  const p = await throughOpenDoor(named, signal)
  const standby = await replicationState(p.url, signal)
  const at = describeUrl(p.url)
  if (!standby.inRecovery) return [blocker('not-a-standby', `the server at ${at} is a primary already`)]
  const others = await look(p, context, signal, brieflyMs)
  const findings: Finding[] = []
  try {
    assertIdentity(p, standby, others)
  } catch (error) {
    if (!isHoldfastError(error)) throw error
    findings.push(blocker(error.code, error.message, error.hint))
  }
  if (standby.replay !== 'running') findings.push(blocker('replay-paused', replayPaused(p.url).message, replayPaused(p.url).hint))
  const lag = await measureLag(p, standby, others, signal)
  const problem = lagProblem(p, lag)
  // A primary that is here will be read when it has been stopped.
  const willBeKnown = others.some(({ server, sight }) => sight.kind === 'primary' && server.dataDirectory !== undefined)
  if (problem !== undefined && !lag.known && willBeKnown) {
    findings.push({ severity: 'warning', code: 'lag-not-known-yet', message: problem.message })
  } else if (problem !== undefined) findings.push(blocker(problem.code, problem.message, problem.hint))
  else if (!lag.known || lag.basis === 'heartbeat' || lag.basis === 'wal-receiver' || lag.bytes > 0) {
    findings.push({ severity: 'warning', code: 'would-lose', message: `what would be lost now: ${describeLag(lag)}` })
  }
  return findings
}

/** What became of the promotion. Told to become a primary and not one yet is `unknown`: it may become one at any time. */
export async function probeStreaming(given: StreamingPromotion, context: ActionContext, probe: ProbeContext): Promise<Probe> {
  const p = await throughOpenDoor(given, probe.signal)
  const before = await readNote(context, probe.idempotencyKey, note)
  let found: Awaited<ReturnType<typeof promotionState>>
  try {
    found = await promotionState(p.url, { timeoutMs: settleMs, clock: context.clock }, probe.signal)
  } catch (error) {
    probe.signal.throwIfAborted()
    // Never told to; what is wrong with it, `run` says.
    if (before === undefined) return notDone
    return unknown(`whether ${describeUrl(p.url)} became a primary cannot be seen: ${messageOf(error)}`)
  }
  const expected = before?.systemIdentifier ?? p.systemIdentifier
  if (expected !== undefined && expected !== found.systemIdentifier) {
    return unknown(`${describeUrl(p.url)} is of the cluster ${found.systemIdentifier} now, and ${expected} was to be promoted`)
  }
  if (found.state === 'standby') return notDone
  if (found.state === 'promoting') return unknown(`${describeUrl(p.url)} was told to become a primary, and has not yet`)
  const closed = await stillClosed(p.url, closedByFences(context.outputs, found.systemIdentifier), probe.signal)
  // A primary that lets nobody in is no use yet; `run` finishes it.
  if (before !== undefined && closed.length > 0) return notDone
  return done({ ...addressOf(p), ...before?.facts, systemIdentifier: found.systemIdentifier, timeline: found.timeline })
}

/** Asserts everything once more, then promotes, and reads back that it takes writes on a later timeline. */
export async function promoteStreaming(given: StreamingPromotion, context: ActionContext, attempt: Attempt): Promise<Json> {
  const { signal, idempotencyKey, timeoutMs = 2 * replayMs } = attempt
  const p = await throughOpenDoor(given, signal)
  const began = await replicationState(p.url, signal)
  const told = await readNote(context, idempotencyKey, note)
  if (!began.inRecovery && told?.systemIdentifier === began.systemIdentifier && began.timeline > told.timeline) {
    // An earlier attempt promoted it, and did not come to its end.
    return await letIn(p, told.facts, began, context, signal)
  }
  assertStandby(p, began)
  const isFenced = fencingStep(context.outputs, began.systemIdentifier, p.fencedBy) !== undefined
  const reachWithinMs = isFenced ? brieflyMs : undefined
  const before = await look(p, context, signal, reachWithinMs)
  assertIdentity(p, began, before)
  fenceEvidence(p, began, before, context)
  const lookedMs = context.clock.monotonicMs()
  await waitForSender(p.url, before, context, signal)
  const standby = await waitUntilReplayed(p.url, { timeoutMs: Math.min(replayMs, timeoutMs / 2), clock: context.clock }, signal)
  const isFresh = context.clock.monotonicMs() - lookedMs <= freshMs
  const others = isFresh ? await lookAgain(before, signal) : await look(p, context, signal, reachWithinMs)
  assertIdentity(p, standby, others)
  const { evidence, accepted } = fenceEvidence(p, standby, others, context)
  const lag = await measureLag(p, standby, others, signal)
  const problem = lagProblem(p, lag)
  if (problem !== undefined) throw problem
  const facts: Record<string, Json> = {
    previousTimeline: standby.timeline,
    replayedLsn: standby.lsn === undefined ? null : formatLsn(standby.lsn),
    lag: { ...lag },
    mayBeLost: describeLag(lag),
    fence: evidence === undefined ? null : { ...evidence },
    accepted: [...accepted, ...(lag.known ? [] : ['unknown-lag'])],
  }
  // From here on it may have been told to, whatever becomes of us.
  await writeNote(context, idempotencyKey, { systemIdentifier: standby.systemIdentifier, timeline: standby.timeline, facts })
  context.progress({ step: context.step, text: `promoting ${describeUrl(p.url)}; lost: ${describeLag(lag)}` })
  const promoted = await promoteServer(p.url, { clock: context.clock, timeoutMs: timeoutMs / 2 }, signal)
  return await letIn(p, facts, { ...promoted, systemIdentifier: standby.systemIdentifier }, context, signal)
}

/** A fence by SQL closed databases, and the standby has replayed that: here they are to be open. */
async function letIn(
  p: StreamingPromotion,
  facts: Readonly<Record<string, Json>>,
  { systemIdentifier, timeline, lsn }: { systemIdentifier: string; timeline: number; lsn?: string | bigint | undefined },
  { outputs }: ActionContext,
  signal: AbortSignal,
): Promise<Json> {
  const reopened = await stillClosed(p.url, closedByFences(outputs, systemIdentifier), signal)
  await reopenDatabases(p.url, reopened, signal)
  const at = typeof lsn === 'bigint' ? formatLsn(lsn) : lsn
  return {
    ...addressOf(p),
    ...facts,
    systemIdentifier,
    timeline,
    ...(at === undefined ? {} : { lsn: at }),
    reopened: [...reopened],
  }
}

/** Through a database that lets sessions in: the one that is named may be among those that a fence by SQL has closed. */
async function throughOpenDoor(p: StreamingPromotion, signal: AbortSignal): Promise<StreamingPromotion> {
  const url = (await isClosedTo(p.url, signal)) ? withDatabase(p.url, 'postgres') : p.url
  return { ...p, url, address: p.url }
}

async function look(
  p: StreamingPromotion,
  context: ActionContext,
  signal: AbortSignal,
  reachWithinMs?: number,
): Promise<SeenServer[]> {
  return p.named === undefined ? [] : await surveyOthers(context, p.named, signal, { reachWithinMs })
}

function addressOf(p: StreamingPromotion): Record<string, Json> {
  return { server: p.named?.name ?? null, ...(p.isPlain ? { url: p.address ?? p.url } : {}) }
}

function assertStandby(p: StreamingPromotion, state: ReplicationState): void {
  if (state.replay !== 'running') throw replayPaused(p.url)
  if (state.inRecovery) return
  throw new HoldfastError('identity-mismatch', {
    message: `the server at ${describeUrl(p.url)} is a primary already, on timeline ${state.timeline}`,
    hint: 'look which server leads: `holdfast postgres status`',
  })
}

function assertIdentity(p: StreamingPromotion, state: ReplicationState, others: readonly SeenServer[]): void {
  const expected = p.systemIdentifier === undefined ? identifiersOf(others) : new Set([p.systemIdentifier])
  const strange = [...expected].find((one) => one !== state.systemIdentifier)
  if (strange === undefined) return
  throw new HoldfastError('identity-mismatch', {
    message: `the server at ${describeUrl(p.url)} is of the cluster ${state.systemIdentifier}, and ${strange} is expected`,
    hint: 'look which server its address leads to; nothing was done to it',
    details: { found: state.systemIdentifier, expected: strange },
  })
}

function fenceEvidence(
  p: StreamingPromotion,
  standby: ReplicationState,
  others: readonly SeenServer[],
  context: ActionContext,
): { readonly evidence: FenceEvidence | undefined; readonly accepted: readonly string[] } {
  try {
    return { evidence: requireNoOtherWriter(others, standby, context, p.fencedBy), accepted: [] }
  } catch (error) {
    if (!isHoldfastError(error, 'fence-unconfirmed') || !p.acceptDivergence) throw error
    return { evidence: undefined, accepted: ['divergence'] }
  }
}

async function measureLag(
  p: StreamingPromotion,
  standby: ReplicationState,
  others: readonly SeenServer[],
  signal: AbortSignal,
): Promise<ReplicationLag> {
  const primary = await leaderPosition(others, standby, signal)
  const lag = replicationLag(standby, primary)
  if (lag.known || p.heartbeat === undefined) return lag
  return replicationLag(standby, primary, await readHeartbeat(p.address ?? p.url, p.heartbeat, signal))
}

async function readHeartbeat(
  url: string,
  { sql, maxAge }: NonNullable<StreamingPromotion['heartbeat']>,
  signal: AbortSignal,
): Promise<Heartbeat | undefined> {
  await using connection = await openSql(url, {}, signal)
  const [row] = await connection.query(
    `select to_char(at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as at,
            round(extract(epoch from clock_timestamp() - at) * 1000) as age_ms
       from (select (${sql.replace(/;\s*$/, '')})::timestamptz as at) heartbeat`,
  )
  if (row?.at === undefined || row.at === null) return undefined
  return { at: row.at, ageMs: Number(row.age_ms), maxAgeMs: parseDuration(maxAge) }
}

function lagProblem(p: StreamingPromotion, lag: ReplicationLag): HoldfastError | undefined {
  if (!lag.known) {
    if (p.acceptUnknownLag) return undefined
    return new HoldfastError('replica-behind', {
      message: `how far the standby at ${describeUrl(p.url)} is behind is not known: ${lag.because}`,
      hint: 'stop the primary where its files can be read, or give the step a heartbeat; `acceptUnknownLag: true` promotes it all the same, and is recorded',
      details: { problem: 'lag-unknown' },
    })
  }
  if (lag.basis === 'heartbeat' || lag.bytes <= (tryParseSize(p.maxLag) ?? 0)) return undefined
  return new HoldfastError('replica-behind', {
    message: `promoting the standby at ${describeUrl(p.url)} would lose ${describeLag(lag)}, and at most ${p.maxLag} may be lost`,
    hint: 'let it catch up, promote another one, or raise maxLag if losing that is right',
    details: { problem: 'lag-too-large', bytes: lag.bytes },
  })
}
