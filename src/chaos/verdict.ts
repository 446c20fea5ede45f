import type { Hypothesis } from '../catalog/index.ts'
import { exitCodes, formatDuration, type ExitCode } from '../kernel/index.ts'
import type { CanaryEvidence } from './canary/account.ts'
import type { PhaseEvidence } from './hypothesis/evidence.ts'
import { judgePhase, type Breach, type Outage } from './hypothesis/judge-phase.ts'

/**
 * What an experiment says, the best first.
 *
 * pass            the steady state held, or came back in time, while the faults were really there, and all is as it was
 * fail            it did not: something was learnt
 * inconclusive    nothing was learnt: it was not steady before, a fault was not there, or nothing was looked at
 * aborted         it was ended early
 * cleanup-failed  something of it may still be there
 */
export const experimentVerdicts = ['pass', 'fail', 'inconclusive', 'aborted', 'cleanup-failed'] as const
export type ExperimentVerdict = (typeof experimentVerdicts)[number]

export const verdictExitCodes: Readonly<Record<ExperimentVerdict, ExitCode>> = {
  pass: exitCodes.done,
  fail: exitCodes.hypothesisFailed,
  inconclusive: exitCodes.inconclusive,
  aborted: exitCodes.experimentAborted,
  'cleanup-failed': exitCodes.cleanUpFailed,
}

export interface FaultEvidence {
  readonly name: string
  /** What it acted on. None: it broke nothing. */
  readonly targets: readonly string[]
  /** `injected`: it was there, by reading it back. `unconfirmed`: it was told to be. */
  readonly state: 'injected' | 'unconfirmed' | 'failed' | 'not-begun'
  /** When it was about to be there: the earliest moment that it can have shown. Of the monotonic clock. */
  readonly injectedAtMs?: number
  /** From the decision to inject it until it was seen to be there, and from that to end it until it was seen to be gone. */
  readonly presentAfterMs?: number
  readonly goneAfterMs?: number
  /** `gone`: by reading it back. `lasting`: nothing can or need undo it. */
  readonly undo: 'gone' | 'lasting' | 'failed' | 'unknown'
  readonly because?: string
  /** Right before its end it was not wholly there any more, or nobody could look: what was seen. Who takes it away may be whoever recovers. */
  readonly lost?: string
}

/** Of a plan that ran within an experiment. */
export interface DrillEvidence {
  readonly succeeded: boolean
  /** Why it did not. */
  readonly because?: string
  readonly plan?: string
  /** Absent: it was not begun. */
  readonly runId?: string
  readonly detectedBy?: 'hypothesis' | 'observers'
  /** From the fault until it was noticed; from there until the run began; and what the run took. They follow each other. */
  readonly phases?: { readonly detectMs: number; readonly decideMs?: number; readonly runMs?: number }
}

export interface ExperimentEvidence {
  readonly before?: PhaseEvidence
  readonly during?: PhaseEvidence
  readonly after?: PhaseEvidence
  readonly faults: readonly FaultEvidence[]
  /** Why it was ended early. */
  readonly stopped?: string
  /** Of one with a plan that must bring the services back. */
  readonly drill?: DrillEvidence
  /** Of one with a canary: what became of its rows. */
  readonly canary?: CanaryEvidence
}

export interface Expectation {
  readonly hypothesis: Pick<Hypothesis, 'probes'>
  /** The longest that the steady state may be gone. Absent: it must hold all the time. */
  readonly recoversWithinMs?: number
  /** From when that counts: a pod that is killed comes back by itself, a partition has to end first. */
  readonly recoversFrom: 'fault' | 'clean-up'
  readonly drill: boolean
  /** Of one with a canary: the most, in time, that may be lost. */
  readonly canary?: { readonly losesAtMostMs?: number }
}

export interface ExperimentJudgement {
  readonly verdict: ExperimentVerdict
  /** Of the verdict; empty for a pass. */
  readonly because: readonly string[]
  /** The longest that the steady state was gone, counted from the fault or the clean-up. 0: never. Absent: it did not come back, or nobody knows. */
  readonly recoveryMs?: number
}

/** What the evidence shows. Without some of it, it never shows more. */
export function judgeExperiment(evidence: ExperimentEvidence, expected: Expectation): ExperimentJudgement {
  const { faults, stopped } = evidence
  const begun = faults.filter(({ state }) => state !== 'not-begun')
  const left = begun.filter(({ undo }) => undo !== 'gone' && undo !== 'lasting')
  if (left.length > 0) return { verdict: 'cleanup-failed', because: left.map(leftText) }
  if (stopped !== undefined) return { verdict: 'aborted', because: [stopped] }
  const open = inconclusive(evidence, expected)
  if (open.length > 0) return { verdict: 'inconclusive', because: open }
  const recovery = judgeRecovery(evidence, expected)
  if (recovery.because.length > 0) return { verdict: 'fail', ...recovery }
  // What was seen to fail while the fault was there has failed, whatever became of the fault: only that nothing failed shows nothing then.
  const lost = mustLast(expected) ? faults.flatMap(lostText) : []
  if (lost.length > 0) return { verdict: 'inconclusive', because: lost }
  return { verdict: 'pass', ...recovery }
}

function lostText({ name, lost }: FaultEvidence): string[] {
  return lost === undefined ? [] : [`the fault ${name} was not there until its end: ${lost}`]
}

function leftText({ name, undo, because }: FaultEvidence): string {
  const what = undo === 'failed' ? `the fault ${name} could not be undone` : `nobody knows whether the fault ${name} is gone`
  return because === undefined ? what : `${what}: ${because}`
}

/** Why nothing was learnt. */
function inconclusive({ before, during, after, faults, drill, canary }: ExperimentEvidence, expected: Expectation): string[] {
  const { probes } = expected.hypothesis
  const reasons: string[] = []
  if (probes.length === 0) reasons.push('its hypothesis has no probes')
  if (before === undefined || before.slots === 0) reasons.push('nobody looked whether it was steady before')
  else {
    const { met, breaches } = judgePhase(probes, before)
    if (!met) reasons.push(`it was not steady before anything was broken: ${breachText(breaches)}`)
  }
  if (faults.length === 0) reasons.push('it has no fault')
  for (const { name, targets, state, because } of faults) {
    if (targets.length === 0) reasons.push(`the fault ${name} found no target`)
    else if (state !== 'injected') {
      const how = state === 'unconfirmed' ? 'could not be seen' : state === 'failed' ? 'failed' : 'was not begun'
      reasons.push(`the fault ${name} ${how}${because === undefined ? '' : `: ${because}`}`)
    }
  }
  if (during === undefined || during.slots === 0) reasons.push('nobody looked while it was broken')
  if (after === undefined || after.slots === 0) reasons.push('nobody looked whether it was steady afterwards')
  if (expected.drill && drill === undefined) reasons.push('its plan did not run')
  if (expected.canary !== undefined) {
    if (canary === undefined) reasons.push('its canary was not read back')
    else if (canary.rpaMs === undefined) reasons.push(`nobody knows what its canary lost: ${canary.unknown ?? 'it does not say'}`)
  }
  return reasons
}

/** What holds all the time, or comes back after the end of the fault, shows something only if that lasted. Else, taking it away may be how it came back. */
function mustLast({ drill, recoversWithinMs, recoversFrom }: Expectation): boolean {
  return !drill && (recoversWithinMs === undefined || recoversFrom === 'clean-up')
}

function judgeRecovery(
  { during, after, faults, drill, canary }: ExperimentEvidence,
  { hypothesis: { probes }, recoversWithinMs, recoversFrom, drill: isDrill, canary: mayLose }: Expectation,
): { readonly because: readonly string[]; readonly recoveryMs?: number } {
  if (during === undefined || after === undefined) return { because: ['nobody looked'] }
  const because: string[] = []
  if (isDrill && drill?.succeeded === false)
    because.push(`its plan did not bring it back${drill.because === undefined ? '' : `: ${drill.because}`}`)
  if (mayLose?.losesAtMostMs !== undefined && canary?.rpaMs !== undefined && canary.rpaMs > mayLose.losesAtMostMs)
    because.push(
      `its canary lost ${canary.lost} acknowledged rows over ${formatDuration(canary.rpaMs)}, more than ${formatDuration(mayLose.losesAtMostMs)}`,
    )
  const isDuring = recoversFrom === 'fault'
  const broken = judgePhase(probes, during)
  const settled = judgePhase(probes, after)
  // Of a fault whose moment nobody knows, it may have been the first.
  const injectedMs = Math.min(...faults.map(({ injectedAtMs = during.startedMs }) => injectedAtMs))
  const clockStartsMs = isDuring ? Math.max(during.startedMs, injectedMs) : after.startedMs
  const { outages } = isDuring ? broken : settled
  const lengths = outages.map((outage) => lengthOf(outage, clockStartsMs))
  const longest = lengths.includes(undefined) ? undefined : Math.max(0, ...lengths.map((length) => length ?? 0))
  if (recoversWithinMs === undefined) {
    if (!broken.met) because.push(`it did not hold while it was broken: ${breachText(broken.breaches)}`)
  } else {
    if (isDuring && !broken.windowsMet) because.push(breachText(broken.breaches.filter(({ slot }) => slot === undefined)))
    if (longest === undefined) because.push(`it did not come back within ${formatDuration(recoversWithinMs)}`)
    else if (longest > recoversWithinMs)
      because.push(`it came back after ${formatDuration(longest)}, later than ${formatDuration(recoversWithinMs)}`)
  }
  const maySettle = !isDuring && recoversWithinMs !== undefined
  const isSettled = maySettle ? settled.windowsMet && settled.steady > 0 : settled.met
  if (!isSettled) because.push(`it was not steady afterwards: ${breachText(settled.breaches)}`)
  return longest === undefined ? { because } : { because, recoveryMs: longest }
}

/** Undefined for one that has not ended. */
function lengthOf({ fromMs, toMs }: Outage, clockStartsMs: number): number | undefined {
  return toMs === undefined ? undefined : toMs - Math.max(fromMs, clockStartsMs)
}

function breachText(breaches: readonly Breach[]): string {
  const [first] = breaches
  if (first === undefined) return 'nothing was seen'
  const more = breaches.length > 1 ? ` (and ${breaches.length - 1} more)` : ''
  return `${first.probe} ${first.because}${more}`
}
