import type { BoundAction, Reach } from '../../actions/index.ts'
import type { Drill } from '../../catalog/index.ts'
import type { Json } from '../../kernel/index.ts'
import type { ActionCall, Plan, PlanStep } from '../plan.ts'
import type { StepFinding } from '../preflight.ts'
import { topologicalOrder } from '../order.ts'
import { referencedSteps } from '../template.ts'

export interface ReachDeps {
  readonly bind: (call: ActionCall) => BoundAction
  readonly allow: Drill['allow']
  readonly folder: string
}

/**
 * A blocker for each step that reaches outside the sandbox without leave to, with the lines that would give it. A step that uses what an
 * outside step gave is as far outside as that step: it may be a URL of the real thing.
 */
export function outsideFindings(plan: Plan, { bind, allow, folder }: ReachDeps): StepFinding[] {
  const outside = new Set<string>()
  const findings: StepFinding[] = []
  for (const step of topologicalOrder(plan.steps)) {
    if (step.skip !== undefined) continue
    const calls = [step.action, ...(step.check === undefined ? [] : [step.check])]
    const far = calls.flatMap((call) => {
      const where = beyond(bind(call).reach(folder), allow.hosts) ?? inherited(call.params, step, outside)
      return where === undefined ? [] : [{ call, where }]
    })
    const [first] = far
    if (first === undefined) continue
    outside.add(step.id)
    if (!allow.steps.includes(step.id)) findings.push(finding(plan.name, step, first.call, first.where))
  }
  return findings
}

/** Where a call reaches without leave; undefined when it does not. */
function beyond(reach: Reach, hosts: readonly string[]): { readonly hosts?: readonly string[] } | undefined {
  if (reach === 'local') return undefined
  if (reach === 'outside') return {}
  const refused = reach.hosts.filter((host) => !hosts.includes(host) && !hosts.includes(host.replace(/:\d+$/, '')))
  return refused.length === 0 ? undefined : { hosts: refused }
}

function inherited(params: Json, step: PlanStep, outside: ReadonlySet<string>): Record<string, never> | undefined {
  return [...referencedSteps(params)].some((id) => id !== step.id && outside.has(id)) ? {} : undefined
}

function finding(plan: string, step: PlanStep, call: ActionCall, { hosts }: { readonly hosts?: readonly string[] }): StepFinding {
  const what = call === step.action ? call.kind : `its check ${call.kind}`
  const allowed = hosts === undefined ? `steps: [${step.id}]` : `hosts: ['${hosts.join("', '")}']`
  return {
    step: step.id,
    severity: 'blocker',
    code: 'drill-reaches-outside',
    message: `${what} may reach outside the sandbox${hosts === undefined ? '' : `: ${hosts.join(', ')}`}`,
    hint: [
      `say under plans.${plan} what a drill does instead, or let it out:`,
      '  drill:',
      `    substitute: { ${step.id}: { skip: why it is left out } }   # or { do: { … } }, or { with: { … } }`,
      `    allow: { ${allowed} }   # instead of a substitute`,
    ].join('\n'),
  }
}
