import type { ActionContext, BoundAction, Finding } from '../actions/index.ts'
import { isHoldfastError, mapConcurrently, type Json } from '../kernel/index.ts'
import { ancestors, topologicalOrder } from './order.ts'
import type { Plan, PlanStep } from './plan.ts'
import { referencedSteps } from './template.ts'

export type StepFinding = Finding & { readonly step: string }

export interface PreflightDeps {
  bind(step: PlanStep['action']): BoundAction
  contextFor(step: PlanStep): ActionContext
}

const looksAtOnce = 16

/**
 * Everything that can be known before a plan begins, without changing anything: its shape, and each step's own read-only look at the
 * world. What cannot be looked at is a blocker too.
 */
export async function preflightPlan(plan: Plan, deps: PreflightDeps, signal: AbortSignal): Promise<StepFinding[]> {
  const findings = inspectPlan(plan, deps)
  const calls = plan.steps
    .filter((step) => step.skip === undefined)
    .flatMap((step) => [step.action, step.check, step.undo].flatMap((call) => (call === undefined ? [] : [{ step, call }])))
  // What does not answer costs its patience once, not once for every step that asks it.
  const found = await mapConcurrently(calls, looksAtOnce, ({ step, call }) => lookBefore(step, call, deps, signal))
  return [...findings, ...found.flat()]
}

async function lookBefore(
  step: PlanStep,
  call: PlanStep['action'],
  deps: PreflightDeps,
  signal: AbortSignal,
): Promise<StepFinding[]> {
  try {
    const found = await deps.bind(call).preflight(deps.contextFor(step), signal)
    // What only an undo needs is worth knowing, but no reason not to recover.
    const severity = call === step.undo ? { severity: 'warning' as const } : {}
    return found.map((finding) => ({ ...finding, step: step.id, ...severity }))
  } catch (error) {
    signal.throwIfAborted()
    if (!isHoldfastError(error)) throw error
    return [blocker(step.id, error.code, error.message, error.hint)]
  }
}

/** What is wrong with a plan by itself, whatever the world is like. */
export function inspectPlan(plan: Plan, deps: Pick<PreflightDeps, 'bind'>): StepFinding[] {
  topologicalOrder(plan.steps)
  const findings: StepFinding[] = []
  for (const step of plan.steps) {
    if (step.skip !== undefined) continue
    const conditions = step.when?.map(({ value }) => value) ?? []
    const texts: Json = [step.action.params, step.check?.params ?? null, step.undo?.params ?? null, conditions]
    for (const used of referencedSteps(texts)) {
      const skipped = plan.steps.find(({ id }) => id === used)?.skip
      if (skipped !== undefined) {
        findings.push(
          blocker(
            step.id,
            'output-skipped',
            `it uses an output of ${used}, which is left out: ${skipped}`,
            `give ${step.id} a 'disaster' form that does without it`,
          ),
        )
      }
      const before = ancestors(step.id, plan.steps)
      if (before.has(used) || (used === step.id && !referencedSteps(step.action.params).has(used))) continue
      findings.push(
        blocker(
          step.id,
          'output-not-ready',
          `it uses an output of ${used}, which need not be done before it`,
          `add ${used} to its 'after'`,
        ),
      )
    }
  }
  findings.push(...commitFindings(plan, deps))
  if (!plan.steps.some((step) => step.check !== undefined || mayCheck(step, deps))) {
    findings.push(
      blocker(
        plan.steps.at(-1)?.id ?? '',
        'plan-checks-nothing',
        'the plan checks nothing: its success would mean nothing',
        "add a 'check', or a step such as sql.check or http.check",
      ),
    )
  }
  return findings
}

/** A commit window that promises to undo what cannot be undone. */
function commitFindings(plan: Plan, deps: Pick<PreflightDeps, 'bind'>): StepFinding[] {
  return plan.steps
    .filter(({ action }) => action.kind === 'commit' && (action.params as { readonly else?: Json }).else === 'undo')
    .flatMap((window) => {
      const before = ancestors(window.id, plan.steps)
      const final = plan.steps.find(({ id, action }) => before.has(id) && effectOf(action, deps) === 'point-of-no-return')
      if (final === undefined) return []
      return [
        blocker(
          window.id,
          'commit-cannot-undo',
          `it would undo everything, and ${final.id} before it is a point of no return`,
          `write 'else: ask', or let ${final.id} come after [commit]`,
        ),
      ]
    })
}

function effectOf(action: PlanStep['action'], deps: Pick<PreflightDeps, 'bind'>): BoundAction['effect'] | undefined {
  try {
    return deps.bind(action).effect
  } catch {
    return undefined
  }
}

/** An action that is not known gets its own finding. */
function mayCheck(step: PlanStep, deps: Pick<PreflightDeps, 'bind'>): boolean {
  try {
    return deps.bind(step.action).isCheck
  } catch {
    return true
  }
}

function blocker(step: string, code: string, message: string, hint?: string): StepFinding {
  return { step, severity: 'blocker', code, message, ...(hint === undefined ? {} : { hint }) }
}
