import type { ActionCall } from './plan.ts'

/** Whom an `approve` names; none: anybody but who started the run may, or it is another action. */
export function approversOf({ kind, params }: ActionCall): string[] {
  const by = kind === 'approve' && typeof params === 'object' && params !== null && 'by' in params ? params.by : undefined
  return Array.isArray(by) ? by.filter((name) => typeof name === 'string') : []
}
