import type { AnyAction, BoundAction } from '../../actions/index.ts'
import { approversOf, type Catalog, type Plan as CatalogPlan } from '../../catalog/index.ts'
import { canonicalJson, type Json } from '../../kernel/index.ts'
import { ancestors } from '../order.ts'
import type { ActionCall, Plan, PlanStep } from '../plan.ts'
import { bindAction } from '../plan-run.ts'
import { fillInForeseen, outputsIn } from './foreseen.ts'
import type { HoldfastCommand, RunbookStep, RunbookUndo } from './model.ts'
import { secretsIn } from './secrets.ts'
import { timeLimitMs } from './time-limit.ts'

export interface StepSources {
  readonly catalog: Catalog
  /** What runs the whole plan. */
  readonly recover: string
  readonly declared: CatalogPlan
  /** Its steps are in an order in which they can run. */
  readonly compiled: Plan
  readonly actions: readonly AnyAction[]
}

/** The steps of a plan, each with all that a person needs to do it. */
export function runbookSteps({ catalog, recover, declared, compiled, actions }: StepSources): RunbookStep[] {
  const before = new Map(compiled.steps.map(({ id }) => [id, ancestors(id, compiled.steps)]))
  const outputs: Record<string, Readonly<Record<string, Json>>> = {}
  const bind = ({ kind, params }: ActionCall) => bindAction(actions, kind, fillInForeseen(params, outputs))
  const noReturn = new Set<string>()
  const checkedLater = (id: string) =>
    compiled.steps.find(
      (other) => before.get(other.id)?.has(id) === true && (other.check !== undefined || bind(other.action).isCheck),
    )?.id
  return compiled.steps.map((step, index) => {
    const action = bind(step.action)
    outputs[step.id] = action.foreseen()
    if (action.effect === 'point-of-no-return') noReturn.add(step.id)
    const past = before.get(step.id) ?? new Set()
    const pastNoReturn = [...past].some((id) => noReturn.has(id))
    const check = step.check === undefined ? undefined : bind(step.check)
    const undo = undoOf(step, action, bind, catalog)
    const commands = action.manual(catalog)
    const { description } = declared.steps.find(({ id }) => id === step.id) ?? {}
    const later = checkedLater(step.id)
    const instead = step.disaster !== undefined && 'action' in step.disaster ? step.disaster : undefined
    const calls = [step.action, step.check, step.undo, instead?.action, instead?.check, instead?.undo].filter(
      (call) => call !== undefined,
    )
    return {
      number: index + 1,
      id: step.id,
      ...(description === undefined ? {} : { description }),
      kind: step.action.kind,
      effect: action.effect,
      pastNoReturn,
      after: step.after,
      alongside: compiled.steps
        .filter(({ id }) => id !== step.id && !past.has(id) && before.get(id)?.has(step.id) !== true)
        .map(({ id }) => id),
      when: (step.when ?? []).map((condition) =>
        'equals' in condition
          ? { value: wordOf(condition.value), is: canonicalJson(condition.equals) }
          : { value: wordOf(condition.value), isNot: canonicalJson(condition.notEquals) },
      ),
      ...(step.group === undefined ? {} : { group: { name: step.group, limit: compiled.groups?.[step.group] ?? 1 } }),
      ...(step.disaster === undefined ? {} : { disaster: disasterOf(step.disaster, bind, catalog) }),
      approvers: approversOf(step.action).flatMap((name) => catalog.contacts[name] ?? []),
      waits: action.wait !== undefined,
      limitMs: timeLimitMs(step),
      timeoutMs: step.timeoutMs,
      attempts: step.retry.attempts,
      commands,
      holdfast: holdfastCommands(recover, step, pastNoReturn),
      ...(check === undefined || step.check === undefined
        ? {}
        : {
            check: {
              kind: check.kind,
              commands: check.manual(catalog),
              everyMs: step.check.everyMs,
              timeoutMs: step.check.timeoutMs,
            },
          }),
      isCheck: action.isCheck,
      ...(later === undefined ? {} : { checkedLater: later }),
      undo,
      onFailure: step.onFailure,
      secrets: calls.flatMap(({ params }) => secretsIn(params, catalog)),
      outputs: outputsIn([...commands, ...(check?.manual(catalog) ?? []), ...(undo?.commands ?? [])]),
    }
  })
}

function wordOf(value: Json): string {
  return typeof value === 'string' ? value : canonicalJson(value)
}

/** What is done when the source site cannot be reached. */
function disasterOf(
  form: NonNullable<PlanStep['disaster']>,
  bind: (call: ActionCall) => BoundAction,
  catalog: Catalog,
): NonNullable<RunbookStep['disaster']> {
  if ('skip' in form) return form
  const { action, check } = form
  return {
    kind: action.kind,
    commands: bind(action).manual(catalog),
    ...(check === undefined ? {} : { check: bind(check).manual(catalog) }),
  }
}

/** Undefined where there is nothing to take back, or where nothing is. */
function undoOf(
  step: PlanStep,
  action: BoundAction,
  bind: (call: ActionCall) => BoundAction,
  catalog: Catalog,
): RunbookUndo | undefined {
  if (action.effect !== 'reversible') return undefined
  if (step.undo !== undefined) return { step: step.id, kind: 'declared', commands: bind(step.undo).manual(catalog) }
  if (!action.canUndo) return { step: step.id, kind: 'none', commands: [] }
  return { step: step.id, kind: 'automatic', commands: action.manualUndo(catalog) }
}

/** What is taken back when the run ends before its point of no return: the reverse of the order in which it was done. */
export function rollbackOf(steps: readonly RunbookStep[]): RunbookUndo[] {
  return steps.flatMap(({ undo, pastNoReturn }) => (undo === undefined || pastNoReturn ? [] : [undo])).toReversed()
}

/** What Holdfast wants to be told while it does this step. */
function holdfastCommands(recover: string, { id, action, onFailure }: PlanStep, pastNoReturn: boolean): HoldfastCommand[] {
  const commands: HoldfastCommand[] = [{ line: recover, purpose: 'does this step, and all others' }]
  if (action.kind === 'approve') {
    commands.push(
      { line: `holdfast run approve latest ${id}`, purpose: 'approves it' },
      { line: `holdfast run approve latest ${id} --deny --comment WHY`, purpose: 'refuses it' },
    )
  }
  if (action.kind === 'commit') {
    commands.push(
      { line: 'holdfast run commit latest', purpose: 'says that it stays' },
      { line: 'holdfast run commit latest --undo --comment WHY', purpose: 'takes everything back' },
    )
  }
  if (onFailure === 'ask' || (pastNoReturn && onFailure !== 'continue')) {
    commands.push({
      line: `holdfast run decide latest ${id} done|not-done|stop --why TEXT`,
      purpose: 'when it has failed: you looked, and it is done; it is not, run it again; end the run',
    })
  }
  return commands
}
