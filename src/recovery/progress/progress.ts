import type { RunEvent } from '../../durable/index.ts'
import { planOutcome, type PlanOutcome } from '../outcome.ts'
import { planInput, type PlanInput, type PlanStep } from '../plan.ts'
import { planAsRun } from '../form.ts'
import { partOf } from './part-of.ts'

/**
 * How a step stands. `waiting`: not begun. `retrying`: a pause before the next attempt. `settling`: it failed, and its real state is
 * looked at. `asked`: a person must decide. `left-out`: its condition did not hold, or the form of the plan has none of it.
 */
export type StepStanding =
  | 'waiting'
  | 'running'
  | 'checking'
  | 'retrying'
  | 'settling'
  | 'asked'
  | 'done'
  | 'tolerated'
  | 'failed'
  | 'stopped'
  | 'unknown'
  | 'left-out'
  | 'undoing'
  | 'undone'
  | 'undo-failed'

export interface StepProgress {
  readonly id: string
  readonly kind: string
  readonly after: readonly string[]
  readonly standing: StepStanding
  /** Of its action, from 1; 0 before the first. */
  readonly attempt: number
  readonly attempts: number
  /** Of what it does now: an attempt of its action, of its check, or of its undo. Absent for one that only waits: see `waits`. */
  readonly timeoutMs?: number
  /** When what it does now began; when it ended, for a step that has. Wall clock, ms. */
  readonly sinceMs?: number
  readonly beganMs?: number
  readonly retryAtMs?: number
  /** The last failure. */
  readonly error?: string
}

export interface OpenWait {
  /** The name of the signal that ends it. */
  readonly name: string
  readonly kind: string
  readonly step: string
  readonly sinceMs: number
  readonly untilMs?: number
  /** Why a decision is needed. */
  readonly because?: string
}

/** How a run stands, as far as its events tell. */
export interface RunProgress {
  readonly runId: string
  readonly input: PlanInput
  readonly submittedMs: number
  readonly stage: 'preflight' | 'steps' | 'undo' | 'record' | 'ended'
  readonly steps: ReadonlyMap<string, StepProgress>
  /** The same steps as the run's form of the plan declares them. */
  readonly declared: ReadonlyMap<string, PlanStep>
  readonly waits: readonly OpenWait[]
  /** Why each open decision is asked for, by the name of its signal. */
  readonly reasons: ReadonlyMap<string, string>
  readonly cancelled?: string
  /** The process that went on with it, if it was resumed. */
  readonly resumedBy?: { readonly pid: number; readonly host: string }
  readonly endedMs?: number
  readonly outcome?: PlanOutcome
  /** Why it ended without an outcome. */
  readonly defect?: string
}

/** One whose steps belong to whoever folds: they are changed in place, for to copy thousands of them for each event takes minutes. */
type Draft = Omit<RunProgress, 'steps'> & { readonly steps: Map<string, StepProgress> }

/**
 * A run's progress after more events; the first of all must be `submitted`, and gives what all others are folded into. Pure. The steps are
 * copied once for each call: give it many events at once where there are many.
 */
export function afterEvents(progress: RunProgress | undefined, events: readonly RunEvent[]): RunProgress | undefined {
  let draft: Draft | undefined = progress && { ...progress, steps: new Map(progress.steps) }
  for (const event of events) draft = event.type === 'submitted' ? begin(event) : draft && afterEvent(draft, event)
  return draft
}

function afterEvent(progress: Draft, event: Exclude<RunEvent, { type: 'submitted' }>): Draft {
  const atMs = Date.parse(event.at)
  switch (event.type) {
    case 'step-started':
      return started(progress, event, atMs)
    case 'step-committed':
      return committed(progress, event, atMs)
    case 'step-failed':
      return failed(progress, event, atMs)
    case 'now':
      return waitStep(progress, event.id, atMs)
    case 'note':
      return noted(progress, event)
    case 'wait-started':
      return waitBegan(progress, event, atMs)
    case 'wait-ended':
      return waitEnded(progress, event, atMs)
    case 'cancel-requested':
      return { ...progress, cancelled: progress.cancelled ?? event.reason }
    case 'resumed':
      return { ...progress, resumedBy: { pid: event.pid, host: event.host } }
    case 'ended':
      return ended(progress, event, atMs)
    case 'signal':
    case 'sleep-started':
    case 'lock-taken':
    default:
      return progress
  }
}

function begin({ at, runId, input: raw }: RunEvent & { type: 'submitted' }): Draft {
  const input = planInput.parse(raw)
  const { steps } = planAsRun(input)
  return {
    runId,
    input,
    submittedMs: Date.parse(at),
    stage: 'preflight',
    steps: new Map(steps.map((step) => [step.id, fresh(step)])),
    declared: new Map(steps.map((step) => [step.id, step])),
    waits: [],
    reasons: new Map(),
  }
}

function fresh({ id, action, after, retry, timeoutMs, skip }: PlanStep): StepProgress {
  const standing = skip === undefined ? 'waiting' : 'left-out'
  return { id, kind: action.kind, after, standing, attempt: 0, attempts: retry.attempts, timeoutMs }
}

function change(progress: Draft, id: string, parts: Partial<StepProgress>): Draft {
  const step = progress.steps.get(id)
  if (step === undefined) return progress
  const { retryAtMs: _retryAtMs, ...kept } = step
  progress.steps.set(id, { ...kept, ...parts })
  return progress
}

function started(progress: Draft, event: RunEvent & { type: 'step-started' }, atMs: number): Draft {
  if (event.step === 'record') return { ...progress, stage: 'record' }
  const { step: id, part } = partOf(event.step, progress.steps)
  const step = progress.steps.get(id)
  if (step === undefined) return progress
  const declared = progress.declared.get(id)
  const beganMs = step.beganMs ?? atMs
  if (part === 'undo') return change({ ...progress, stage: 'undo' }, id, { standing: 'undoing', sinceMs: atMs })
  if (part === 'settle') return change(progress, id, { standing: 'settling', sinceMs: atMs })
  if (part === 'check') {
    const limit = declared?.check === undefined ? {} : { timeoutMs: declared.check.timeoutMs }
    return change(progress, id, { standing: 'checking', sinceMs: atMs, ...limit })
  }
  // What it waits for and has not begun will not: its condition did not hold.
  const leftOut = step.after.filter((before) => progress.steps.get(before)?.standing === 'waiting')
  const base = leftOut.reduce((next, before) => change(next, before, { standing: 'left-out' }), progress)
  const limit = declared === undefined ? {} : { timeoutMs: declared.timeoutMs }
  return change({ ...base, stage: 'steps' }, id, {
    standing: 'running',
    attempt: event.attempt,
    sinceMs: atMs,
    beganMs,
    ...limit,
  })
}

function committed(progress: Draft, event: RunEvent & { type: 'step-committed' }, atMs: number): Draft {
  if (event.step === 'preflight') return { ...progress, stage: 'steps' }
  const { step, part } = partOf(event.step, progress.steps)
  if (part === 'undo') return change(progress, step, { standing: 'undone', sinceMs: atMs })
  if (part === 'check') return change(progress, step, { standing: 'done', sinceMs: atMs })
  if (part === 'settle') {
    const state =
      event.value !== null && typeof event.value === 'object' && 'state' in event.value ? event.value.state : 'unknown'
    const standing = state === 'done' ? 'done' : state === 'not-done' ? 'failed' : 'unknown'
    return change(progress, step, { standing, sinceMs: atMs })
  }
  return change(progress, step, { standing: 'done', sinceMs: atMs })
}

function failed(progress: Draft, event: RunEvent & { type: 'step-failed' }, atMs: number): Draft {
  const { step, part } = partOf(event.step, progress.steps)
  const error = event.error.message
  if (event.retryInMs !== undefined) {
    return change(progress, step, { standing: 'retrying', error, sinceMs: atMs, retryAtMs: atMs + event.retryInMs })
  }
  if (part === 'undo') return change(progress, step, { standing: 'undo-failed', error, sinceMs: atMs })
  if (part === 'settle') return change(progress, step, { standing: 'unknown', sinceMs: atMs })
  const standing =
    event.error.code === 'run-cancelled' ? 'stopped' : event.error.code === 'outcome-unknown' ? 'unknown' : 'failed'
  return change(progress, step, { standing, error, sinceMs: atMs })
}

/** As change, for a step that nothing ends but what it waits for. */
function unlimited(progress: Draft, id: string, parts: Partial<StepProgress>): Draft {
  const changed = change({ ...progress, stage: 'steps' }, id, parts)
  const step = changed.steps.get(id)
  if (step === undefined) return changed
  const { timeoutMs: _timeoutMs, ...waiting } = step
  changed.steps.set(id, waiting)
  return changed
}

/** A step that only waits has no attempts, but tells when it began and ended. */
function waitStep(progress: Draft, id: string, atMs: number): Draft {
  if (id.endsWith(':began')) {
    const { step } = partOf(id.slice(0, -':began'.length), progress.steps)
    return unlimited(progress, step, { standing: 'running', attempt: 1, sinceMs: atMs, beganMs: atMs })
  }
  if (!id.endsWith(':ended')) return progress
  return change(progress, partOf(id.slice(0, -':ended'.length), progress.steps).step, { standing: 'done', sinceMs: atMs })
}

function noted(progress: Draft, { body }: RunEvent & { type: 'note' }): Draft {
  if (body === null || typeof body !== 'object' || !('decision' in body) || !('because' in body)) return progress
  const { decision, because } = body
  if (typeof decision !== 'string' || typeof because !== 'string') return progress
  return { ...progress, reasons: new Map(progress.reasons).set(decision, because) }
}

function waitBegan(progress: Draft, { name, untilMs }: RunEvent & { type: 'wait-started' }, atMs: number): Draft {
  const [kind, rest] = splitOnce(name)
  const { step } = partOf(kind === 'decide' ? rest.replace(/:\d+$/, '') : rest, progress.steps)
  const because = progress.reasons.get(name)
  const wait: OpenWait = {
    name,
    kind,
    step,
    sinceMs: atMs,
    ...(untilMs === undefined ? {} : { untilMs }),
    ...(because === undefined ? {} : { because }),
  }
  const next = { ...progress, waits: [...progress.waits, wait] }
  return kind === 'decide' ? change(next, step, { standing: 'asked', sinceMs: atMs }) : next
}

function waitEnded(progress: Draft, { name, value }: RunEvent & { type: 'wait-ended' }, atMs: number): Draft {
  const wait = progress.waits.find((open) => open.name === name)
  const next = { ...progress, waits: progress.waits.filter((open) => open.name !== name) }
  if (wait?.kind !== 'decide') return next
  const word = value !== null && typeof value === 'object' && 'decision' in value ? value.decision : value
  const standing = word === 'done' ? 'done' : word === 'not-done' ? 'waiting' : 'failed'
  return change(next, wait.step, { standing, sinceMs: atMs })
}

/** The outcome knows best: also of steps of which no event told. */
function ended(progress: Draft, { result }: RunEvent & { type: 'ended' }, atMs: number): Draft {
  const base: Draft = { ...progress, stage: 'ended', waits: [], endedMs: atMs }
  if (result.state === 'failed') return { ...base, defect: result.error.message }
  const outcome = planOutcome.safeParse(result.value)
  if (!outcome.success) return base
  const states = { skipped: 'left-out', 'not-run': 'waiting' } as const
  return outcome.data.steps.reduce<Draft>(
    (next, { id, state }) => {
      const standing: StepStanding = state === 'skipped' || state === 'not-run' ? states[state] : state
      // A failed undo is told by its own event.
      return next.steps.get(id)?.standing === 'undo-failed' ? next : change(next, id, { standing })
    },
    { ...base, outcome: outcome.data },
  )
}

function splitOnce(text: string): [string, string] {
  const at = text.indexOf(':')
  return at === -1 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)]
}
