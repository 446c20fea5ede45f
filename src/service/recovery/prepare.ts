import { actions, type Effect, type RecoveryTarget } from '../../actions/index.ts'
import { planFor, type Catalog } from '../../catalog/index.ts'
import type { RunSpec } from '../../durable/index.ts'
import { randomHex, userName } from '../../kernel/index.ts'
import {
  actionContext,
  bindAction,
  compilePlan,
  inForm,
  inputAsJson,
  planAsRun,
  planHash,
  preflightPlan,
  stepsBehind,
  type Plan,
  type PlanInput,
  type StepFinding,
} from '../../recovery/index.ts'
import { actionServices } from './action-services.ts'
import { codeVersion } from './code-version.ts'
import { restoreFrom } from './restore-from.ts'

export interface RecoveryRequest {
  readonly catalog: Catalog
  readonly service: string
  /** Another plan that recovers the service, such as its failback. Default: its `recovery`. */
  readonly plan?: string
  /** Default: the last moment that can be recovered. */
  readonly target?: RecoveryTarget
  /** When the disaster began; default: now. */
  readonly onsetAt?: Date
  /** Default: the user that runs this. */
  readonly requestedBy?: string
  /** `disaster`: the source site cannot be reached, and steps that have a form for that take it. Default: `normal`. */
  readonly form?: PlanInput['form']
  /** What is restored comes from this repository, not from the first that its service is backed up to, or that its step names. */
  readonly repository?: string
  /** Whether a step that needs a decision waits for `holdfast run decide` (`ask`, the default) or ends the run. */
  readonly decisions?: PlanInput['decisions']
  /** The repository in which the incident was claimed that the run is for: it begins only if the claim still holds then. */
  readonly claimedIn?: string
  /** For whoever must be able to name the run before it is submitted. Default: a new one. */
  readonly runId?: string
}

/** A run that could be submitted, with everything decided that a run is bound to. */
export interface PreparedRecovery {
  readonly spec: RunSpec
  readonly input: PlanInput
  /** For the runbook and `--dry-run`: each step with the plain commands that do the same. */
  readonly steps: readonly {
    readonly id: string
    readonly kind: string
    readonly effect: Effect
    readonly after: readonly string[]
    /** Of each attempt. */
    readonly timeoutMs: number
    readonly attempts: number
    /** Something asks after it whether it worked, until it did. */
    readonly check: boolean
    /** A later failure takes it back, as long as the point of no return is not passed. */
    readonly undo: boolean
    readonly group?: string
    /** Why this form of the plan leaves it out. */
    readonly skip?: string
    readonly manual: readonly string[]
  }[]
}

/** Decides everything about a recovery without doing any of it. */
export function prepareRecovery(request: RecoveryRequest): PreparedRecovery {
  const plan = compilePlan(planFor(request.catalog, request.service, request.plan))
  const version = codeVersion()
  const form = request.form ?? 'normal'
  const input: PlanInput = {
    plan,
    planHash: planHash(plan, version),
    form,
    ...restoreFrom(request.catalog, inForm(plan, form), request.repository),
    target: request.target ?? { kind: 'latest' },
    ...(request.claimedIn === undefined ? {} : { claim: { repository: request.claimedIn } }),
    requestedBy: request.requestedBy ?? userName(),
    onsetAt: (request.onsetAt ?? new Date()).toISOString(),
    decisions: request.decisions ?? 'ask',
  }
  const runId = request.runId ?? newRunId(plan.name)
  const steps = manualSteps(planAsRun(input), request.catalog)
  return { spec: { runId, planHash: input.planHash, codeVersion: version, input: inputAsJson(input) }, input, steps }
}

/** The steps of a plan, for people: what they do, within which limits, and the plain commands that do the same. */
export function manualSteps(plan: Plan, catalog: Catalog): PreparedRecovery['steps'] {
  const bind = ({ kind, params }: Plan['steps'][number]['action']) => bindAction(actions, kind, params)
  const pastNoReturn = stepsBehind(plan.steps, ({ action }) => bind(action).effect === 'point-of-no-return')
  return plan.steps.map(({ id, action, after, timeoutMs, retry, check, undo, group, skip }) => {
    const bound = bind(action)
    const { kind, effect, canUndo } = bound
    return {
      id,
      kind,
      effect,
      after,
      timeoutMs,
      attempts: retry.attempts,
      check: check !== undefined,
      undo: effect === 'reversible' && (undo !== undefined || canUndo) && !pastNoReturn.has(id),
      ...(group === undefined ? {} : { group }),
      ...(skip === undefined ? {} : { skip }),
      manual: skip === undefined ? bound.manual(catalog) : [`# left out: ${skip}`],
    }
  })
}

/** Every read-only check that the run would begin with: what `--dry-run` shows. */
export async function preflightRecovery(
  { catalog }: Pick<RecoveryRequest, 'catalog'>,
  { spec, input }: PreparedRecovery,
  signal: AbortSignal,
): Promise<StepFinding[]> {
  const services = actionServices(catalog)
  const deps = {
    bind: ({ kind, params }: Plan['steps'][number]['action']) => bindAction(actions, kind, params),
    contextFor: ({ id }: Plan['steps'][number]) => actionContext(services, spec.runId, input, id, {}),
  }
  return preflightPlan(planAsRun(input), deps, signal)
}

/** Sorts by time, and says what it is: `orders-failover-20261123T004800-3fa9`. */
export function newRunId(plan: string): string {
  const time = new Date().toISOString().replaceAll(/[-:]|\.\d+Z/g, '')
  return `${plan.replaceAll(/[^\w.-]/g, '-').slice(0, 60)}-${time}-${randomHex(2)}`
}
