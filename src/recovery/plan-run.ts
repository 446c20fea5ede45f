import type { ActionContext, AnyAction, Attempt, BoundAction } from '../actions/index.ts'
import type { RunContext } from '../durable/index.ts'
import { HoldfastError, Places, type Json } from '../kernel/index.ts'
import { stepsBehind } from './order.ts'
import type { ActionCall, PlanInput, PlanStep } from './plan.ts'
import type { DrillKeeper } from './drill/conclude.ts'
import { sandboxOf } from './drill/sandbox.ts'
import { fillIn } from './template.ts'
import type { PlanOutcome, StepReport } from './outcome.ts'

/** What `service` gives to every action of every run. */
export type ActionServices = Omit<
  ActionContext,
  'runId' | 'planHash' | 'requestedBy' | 'step' | 'outputs' | 'target' | 'runDirectory' | 'sandbox'
> & {
  /** A folder for what one run makes. */
  readonly runDirectory: (runId: string) => string
}

export interface PlanDeps {
  readonly actions: readonly AnyAction[]
  readonly services: ActionServices
  /**
   * Asked before anything else is, and again after a crash: throws when the run must not begin, although it was submitted, because another
   * has taken its place.
   */
  readonly mayBegin?: (run: { readonly runId: string; readonly input: PlanInput }, signal: AbortSignal) => Promise<void>
  /** What is done around a run that is a drill. */
  readonly drills?: DrillKeeper
  /** Puts the outcome on record, before the run ends; asked again after a crash, so it looks first whether it has. Its result is the outcome's `record`. */
  readonly record?: (
    outcome: PlanOutcome,
    run: { readonly runId: string; readonly input: PlanInput },
    signal: AbortSignal,
  ) => Promise<Json>
}

/** One step's part in a run: its report, and whether there is something to undo. */
export interface StepResult {
  readonly report: StepReport
  readonly applied: boolean
  readonly checksPassed: number
  /** When the step's check passed (ISO). */
  readonly checkedAt?: string
}

/** A run of a plan while it is interpreted. */
export class PlanRun {
  readonly context: RunContext
  readonly input: PlanInput
  readonly fencingToken: number
  /** Aborts when a step's failure ends the run: nothing more begins, and what is in flight stops. */
  readonly halt = new AbortController()
  readonly outputs: Record<string, Json> = {}
  /** Why the run does not succeed: the first failure, or the cancellation. */
  failure: { readonly step?: string; readonly error: HoldfastError } | undefined
  /** Whether what was done stays, as the failed step says. */
  keep = false
  pointOfNoReturn: string | undefined
  /** What people said about steps. */
  readonly decisions: PlanOutcome['decisions'] = []
  readonly #groups = new Map<string, Places>()
  readonly #deps: PlanDeps
  #gate: PromiseWithResolvers<void> | undefined
  #openDecisions = 0
  #stepsPastNoReturn: ReadonlySet<string> | undefined

  constructor(context: RunContext, input: PlanInput, fencingToken: number, deps: PlanDeps) {
    this.context = context
    this.input = input
    this.fencingToken = fencingToken
    this.#deps = deps
  }

  /** The run's own: steps are timed with it. */
  get clock(): RunContext['clock'] {
    return this.context.clock
  }

  /** Ends the run for this reason, unless it already ends for another. */
  fail(error: HoldfastError, step?: PlanStep): void {
    if (this.failure === undefined) {
      this.failure = { error, ...(step === undefined ? {} : { step: step.id }) }
      this.keep = step?.onFailure === 'stop'
    }
    this.halt.abort(new HoldfastError('run-cancelled', { message: `the run ends: ${error.message}` }))
  }

  /**
   * Steps behind a point of no return: by the plan's shape, not by what happens to be done already, for a run that starts over must come
   * to the same answer.
   */
  get stepsPastNoReturn(): ReadonlySet<string> {
    this.#stepsPastNoReturn ??= stepsBehind(
      this.input.plan.steps,
      ({ action }) => this.bindRaw(action).effect === 'point-of-no-return',
    )
    return this.#stepsPastNoReturn
  }

  /** With outputs still as references: for what does not depend on them. */
  bindRaw({ kind, params }: ActionCall): BoundAction {
    return bindAction(this.#deps.actions, kind, params)
  }

  bind({ kind, params }: ActionCall): BoundAction {
    return bindAction(this.#deps.actions, kind, fillIn(params, this.outputs))
  }

  contextFor(step: PlanStep): ActionContext {
    return actionContext(this.#deps.services, this.context.runId, this.input, step.id, this.outputs)
  }

  attempt(step: PlanStep, signal: AbortSignal, attempt: number, suffix = ''): Attempt {
    // Not the engine's own key: it stays the same when a person decides that the step runs again.
    const idempotencyKey = `${this.context.runId}/${step.id}${suffix}`
    const timeoutMs = suffix === ':check' ? (step.check?.timeoutMs ?? step.timeoutMs) : step.timeoutMs
    return { signal, attempt, idempotencyKey, fencingToken: this.fencingToken, timeoutMs }
  }

  /** A place among the steps of a group that run at once; given back when it is disposed. */
  async placeIn(group: string | undefined): Promise<Disposable> {
    const limit = group === undefined ? undefined : this.input.plan.groups?.[group]
    if (group === undefined || limit === undefined) return { [Symbol.dispose]: () => {} }
    return this.#groups.getOrInsertComputed(group, () => new Places(limit)).take()
  }

  /** Nothing begins while a decision is open. */
  async whenDecided(): Promise<void> {
    while (this.#gate !== undefined) await this.#gate.promise
  }

  async deciding<T>(ask: () => Promise<T>): Promise<T> {
    this.#openDecisions++
    this.#gate ??= Promise.withResolvers()
    try {
      return await ask()
    } finally {
      if (--this.#openDecisions === 0) {
        this.#gate.resolve()
        this.#gate = undefined
      }
    }
  }
}

export function bindAction(actions: PlanDeps['actions'], kind: string, params: Json): BoundAction {
  const action = actions.find((candidate) => candidate.kind === kind)
  if (action !== undefined) return action.bind(params)
  throw new HoldfastError('catalog-invalid', {
    message: `there is no action ${kind}`,
    hint: `known actions: ${actions.map((candidate) => candidate.kind).join(', ')}`,
  })
}

export function actionContext(
  { runDirectory, ...services }: ActionServices,
  runId: string,
  { planHash, requestedBy, target, drill }: Pick<PlanInput, 'planHash' | 'requestedBy' | 'target' | 'drill'>,
  step: string,
  outputs: Readonly<Record<string, Json>>,
): ActionContext {
  const sandbox = sandboxOf(drill, step)
  const run = { runId, planHash, requestedBy, target, runDirectory: runDirectory(runId) }
  return { ...services, ...run, step, outputs, ...(sandbox === undefined ? {} : { sandbox }) }
}
