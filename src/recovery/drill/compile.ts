import type { Drill } from '../../catalog/index.ts'
import type { ActionCall, Plan, PlanStep } from '../plan.ts'
import type { StepFinding } from '../preflight.ts'
import type { DrillChange } from './input.ts'
import { replacePaths } from './moved-paths.ts'
import { outsideFindings, type ReachDeps } from './reach.ts'
import { substituteSteps } from './substitute.ts'

export interface CompiledDrill {
  /** What runs. */
  readonly plan: Plan
  readonly changes: readonly DrillChange[]
  /** Blockers: steps that would leave the sandbox. */
  readonly findings: readonly StepFinding[]
}

/** Actions that wait for a person. */
const asking: ReadonlySet<string> = new Set(['approve', 'commit'])

/**
 * The plan that a sandbox drill runs: the same plan (in the form that is drilled), with the drill's substitutions, and with everything that
 * its steps make in the drill's own folder. Steps that name such a path follow. What an undo of the catalog's would do is left out: it was
 * written for the real place, and the sandbox goes as a whole. Its environment is the drill's own: a drill never stands in the way of a
 * recovery. Throws `usage` for parameters that do not fit.
 */
export function compileDrill(plan: Plan, drill: Drill, { bind, folder }: Pick<ReachDeps, 'bind' | 'folder'>): CompiledDrill {
  const { plan: substituted, changes } = substituteSteps(plan, drill)
  const confined = ({ id, skip }: PlanStep) => skip === undefined && !drill.allow.steps.includes(id)
  const moved: Record<string, string> = {}
  for (const step of substituted.steps.filter(confined)) {
    Object.assign(moved, bind(step.action).inSandbox({ folder, step: step.id }).moved)
  }
  const inSandbox = ({ kind, params }: ActionCall, step: PlanStep): ActionCall => {
    const call = { kind, params: replacePaths(params, moved) }
    return confined(step) ? { kind, params: bind(call).inSandbox({ folder, step: step.id }).params } : call
  }
  const steps = substituted.steps.map((step) => {
    const { check, undo, disaster: _disaster, ...rest } = step
    return {
      ...rest,
      action: inSandbox(step.action, step),
      ...(check === undefined ? {} : { check: { ...check, ...inSandbox(check, step) } }),
      ...(undo === undefined || confined(step) ? {} : { undo }),
    }
  })
  const compiled = { ...substituted, environment: `drill-of-${plan.name}`, steps }
  const answered = drill.approvals === 'asked' ? [] : steps.filter((step) => confined(step) && asking.has(step.action.kind))
  const because = 'the drill answered it: nobody was asked'
  return {
    plan: compiled,
    changes: [...changes, ...answered.map(({ id }): DrillChange => ({ step: id, how: 'answered', because }))],
    findings: outsideFindings(compiled, { bind, folder, allow: drill.allow }),
  }
}
