import type { BoundAction, Probe } from '../actions/index.ts'
import { recordFailure } from '../durable/index.ts'
import { canonicalJson, HoldfastError, isHoldfastError, messageOf, type ErrorCode, type Json } from '../kernel/index.ts'
import { checkUntilTrue } from './check.ts'
import { decide } from './decide.ts'
import type { StepReport, StepState } from './outcome.ts'
import type { PlanStep } from './plan.ts'
import type { PlanRun, StepResult } from './plan-run.ts'
import { fillIn } from './template.ts'

const settleTimeoutMs = 60_000

/** Errors that another attempt of the same step cannot mend. */
const final: ReadonlySet<ErrorCode> = new Set([
  'usage',
  'run-cancelled',
  'approval-refused',
  'commit-refused',
  'identity-mismatch',
  'divergence-found',
  'target-is-source',
  'target-not-empty',
  'target-unsafe',
  'recovery-target',
  'wal-gap',
  'wrong-password',
  'secret-unavailable',
  'result-too-large',
])

/** An unknown outcome is looked at again before another attempt, where the action says that this may settle it. */
function isRepeatable({ code, retryable }: HoldfastError): boolean {
  return code === 'outcome-unknown' ? retryable : !final.has(code)
}

type Performed = {
  readonly output: Json
  readonly startedAt: string
  readonly endedAt: string
  readonly by: 'run' | 'probe' | 'decision'
}

/** What became of an action: done, or not, or nobody knows. */
type Outcome =
  | { readonly kind: 'done'; readonly value: Performed }
  | {
      readonly kind: 'not-done'
      readonly error: HoldfastError
      /** Something of it is there, to be taken back. */ readonly left?: boolean
    }
  | { readonly kind: 'not-run' | 'unknown'; readonly error: HoldfastError }

/** A step from its dependencies on: its action until done, its check until true, and what is decided when that fails. Never throws for a plan that fails. */
export async function runPlanStep(run: PlanRun, step: PlanStep, before: readonly Promise<StepResult>[]): Promise<StepResult> {
  const earlier = await Promise.all(before)
  if (earlier.some(({ report: { state } }) => state !== 'done' && state !== 'tolerated' && state !== 'skipped')) {
    return result(step, 'not-run')
  }
  if (step.skip !== undefined) return result(step, 'skipped')
  await run.whenDecided()
  try {
    if (step.when?.some((condition) => !holds(condition, run.outputs)) === true) return result(step, 'skipped')
  } catch (error) {
    if (!isHoldfastError(error)) throw error
    return failedResult(run, step, error, undefined)
  }
  using _place = await run.placeIn(step.group)
  return await doStep(run, step)
}

function holds(condition: NonNullable<PlanStep['when']>[number], outputs: PlanRun['outputs']): boolean {
  const found = canonicalJson(fillIn(condition.value, outputs))
  return 'equals' in condition ? found === canonicalJson(condition.equals) : found !== canonicalJson(condition.notEquals)
}

async function doStep(run: PlanRun, step: PlanStep): Promise<StepResult> {
  for (let occasion = 1; ; occasion++) {
    const outcome = await perform(run, step, occasion)
    const judged = outcome.kind === 'done' ? await accept(run, step, outcome.value, occasion) : outcome
    if ('report' in judged) return judged
    if (judged.kind === 'not-run') return result(step, 'not-run', { error: judged.error }, run)
    const applied = outcome.kind === 'done'
    if (judged.kind === 'unknown' || mustAsk(run, step, judged.error)) {
      const { decision, ...told } = await decide(run, step, occasion, judged.error.message)
      if (told.by !== undefined) run.decisions.push({ step: step.id, decision, because: judged.error.message, ...told })
      if (decision === 'not-done' && !run.halt.signal.aborted) continue
      if (decision === 'done') return declaredDone(run, step, outcome)
      if (decision === 'stop' && judged.kind === 'unknown') return result(step, 'unknown', { error: judged.error }, run)
    }
    const left = outcome.kind === 'not-done' && outcome.left === true
    return failedResult(run, step, judged.error, applied ? outcome.value : undefined, left)
  }
}

/** A failure is put to a person where the plan says so, and past the point of no return, where nothing can be undone. */
function mustAsk(run: PlanRun, step: PlanStep, error: HoldfastError): boolean {
  if (error.code === 'run-cancelled' || step.onFailure === 'continue') return false
  return step.onFailure === 'ask' || run.stepsPastNoReturn.has(step.id)
}

async function perform(run: PlanRun, step: PlanStep, occasion: number): Promise<Outcome> {
  const id = occasion === 1 ? step.id : `${step.id}#${occasion}`
  const raw = run.bindRaw(step.action)
  try {
    return {
      kind: 'done',
      value: raw.wait === undefined ? await act(run, step, id, raw, occasion) : await waitDurably(run, step, id),
    }
  } catch (error) {
    if (!isHoldfastError(error)) throw error
    if (error.code === 'run-cancelled' && error.details.started !== true) return { kind: 'not-run', error }
    if (error.code === 'outcome-unknown' && !error.retryable) return { kind: 'unknown', error }
    return raw.effect === 'read-only' ? { kind: 'not-done', error } : settle(run, step, id, error)
  }
}

/** The action as a durable step: its real state is asked before every attempt. */
async function act(run: PlanRun, step: PlanStep, id: string, raw: BoundAction, occasion: number): Promise<Performed> {
  const value = await run.context.step(
    id,
    async ({ signal, attempt, previous }) => {
      const startedAt = run.clock.now().toISOString()
      const action = run.bind(step.action)
      const context = run.contextFor(step)
      const { idempotencyKey, ...rest } = run.attempt(step, signal, attempt)
      const probe = await action.probe(context, { signal, idempotencyKey, previous })
      const decidedNotDone = occasion > 1 && attempt === 1
      if (probe.state === 'unknown' && !decidedNotDone) throw unknownError(step, probe.because)
      const output = probe.state === 'done' ? (probe.output ?? null) : await action.run(context, { ...rest, idempotencyKey })
      const by = probe.state === 'done' ? 'probe' : 'run'
      return { output, startedAt, endedAt: run.clock.now().toISOString(), by }
    },
    {
      timeoutMs: step.timeoutMs,
      retry: { ...step.retry, mayRetry: (error) => !isHoldfastError(error) || isRepeatable(error) },
      stop: run.halt.signal,
      // Half a promotion is worse than a whole one.
      uninterruptible: raw.effect === 'point-of-no-return',
    },
  )
  return value as unknown as Performed
}

async function waitDurably(run: PlanRun, step: PlanStep, id: string): Promise<Performed> {
  const action = run.bind(step.action)
  const startedAt = await run.context.now(`${id}:began`)
  const output = await action.wait?.(run.contextFor(step), {
    sleep: (ms) => run.context.sleep(`${id}:sleep`, ms, { stop: run.halt.signal }),
    waitSignal: (name, timeoutMs) =>
      run.context.waitSignal(`${name}:${id}`, { ...(timeoutMs === undefined ? {} : { timeoutMs }), stop: run.halt.signal }),
  })
  const endedAt = await run.context.now(`${id}:ended`)
  return { output: output ?? null, startedAt: startedAt.toISOString(), endedAt: endedAt.toISOString(), by: 'run' }
}

/** A failure is not yet "not done": a promotion that timed out may have happened. The real state decides. */
async function settle(run: PlanRun, step: PlanStep, id: string, error: HoldfastError): Promise<Outcome> {
  const interrupted = error.code === 'timed-out' || error.code === 'run-cancelled' || error.code === 'outcome-unknown'
  let probe: Probe
  try {
    const value = await run.context.step(
      `${id}:settle`,
      async ({ signal }) => {
        const { idempotencyKey } = run.attempt(step, signal, 0)
        const previous = interrupted ? 'interrupted' : 'failed'
        const found = await run.bind(step.action).probe(run.contextFor(step), { signal, idempotencyKey, previous })
        return { ...found, at: run.clock.now().toISOString() }
      },
      { timeoutMs: settleTimeoutMs, shielded: true },
    )
    probe = value as unknown as Probe
  } catch (probeError) {
    probe = { state: 'unknown', because: `its state cannot be read: ${messageOf(probeError)}` }
  }
  if (probe.state === 'not-done') return { kind: 'not-done', error, left: probe.left === true }
  if (probe.state === 'unknown') return { kind: 'unknown', error: unknownError(step, `${error.message}; ${probe.because}`) }
  const at = (probe as unknown as { at: string }).at
  return { kind: 'done', value: { output: probe.output ?? null, startedAt: at, endedAt: at, by: 'probe' } }
}

/** Takes a finished action in: its output, the point of no return, its check. */
async function accept(
  run: PlanRun,
  step: PlanStep,
  value: Performed,
  occasion: number,
): Promise<StepResult | { readonly kind: 'not-done'; readonly error: HoldfastError }> {
  run.outputs[step.id] = value.output
  const { effect, isCheck } = run.bindRaw(step.action)
  if (effect === 'point-of-no-return') run.pointOfNoReturn ??= step.id
  try {
    const checkedAt = await checkUntilTrue(run, step, occasion)
    const checksPassed = (isCheck ? 1 : 0) + (checkedAt === undefined ? 0 : 1)
    return { ...result(step, 'done', value), checksPassed, ...(checkedAt === undefined ? {} : { checkedAt }) }
  } catch (error) {
    if (!isHoldfastError(error)) throw error
    return { kind: 'not-done', error }
  }
}

function declaredDone(run: PlanRun, step: PlanStep, outcome: Outcome): StepResult {
  const at = run.clock.now().toISOString()
  const value: Performed = outcome.kind === 'done' ? outcome.value : { output: null, startedAt: at, endedAt: at, by: 'decision' }
  run.outputs[step.id] = value.output
  if (run.bindRaw(step.action).effect === 'point-of-no-return') run.pointOfNoReturn ??= step.id
  return result(step, 'done', { ...value, by: 'decision' })
}

function failedResult(
  run: PlanRun,
  step: PlanStep,
  error: HoldfastError,
  value: Performed | undefined,
  left = false,
): StepResult {
  const applied = value !== undefined || left
  const stopped = error.code === 'run-cancelled'
  if (step.onFailure === 'continue' && !stopped) {
    return { ...result(step, 'tolerated', { error, ...value }), applied }
  }
  return { ...result(step, stopped ? 'stopped' : 'failed', { error, ...value }, run), applied }
}

/** Given the run, a result that is not a success ends it. */
function result(
  step: PlanStep,
  state: StepState,
  more: Partial<Performed> & { readonly error?: HoldfastError } = {},
  run?: PlanRun,
): StepResult {
  const { error, ...value } = more
  if (error !== undefined) run?.fail(error, error.details.cancelled === true ? undefined : step)
  const report: StepReport = {
    id: step.id,
    kind: step.action.kind,
    state,
    ...value,
    ...(error === undefined ? {} : { error: recordFailure(error) }),
  }
  return { report, applied: state === 'done', checksPassed: 0 }
}

function unknownError(step: PlanStep, because: string): HoldfastError {
  return new HoldfastError('outcome-unknown', {
    message: `nobody knows whether step ${step.id} is done: ${because}`,
    hint: `look at the real state, then \`holdfast run decide\` says done, not-done or stop, and why`,
    details: { step: step.id },
  })
}
