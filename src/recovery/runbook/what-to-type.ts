import type { Runbook } from './model.ts'

type Which = Pick<Runbook, 'service' | 'plan' | 'isRecovery'>

/** What runs the plan: a service's own needs no name. */
export function recoverLine(runbook: Which): string {
  return `holdfast recover ${nameOf(runbook)}`
}

/** What writes its runbook. */
export function runbookLine(runbook: Which): string {
  return `holdfast runbook ${nameOf(runbook)}`
}

/** What says whether a file is still true. */
export function checkLine(runbook: Which): string {
  return `holdfast runbook check ${nameOf(runbook)} FILE`
}

function nameOf({ service, plan, isRecovery }: Which): string {
  return isRecovery ? service.name : `${service.name} --plan ${plan.name}`
}
