import type { Catalog } from '../../catalog/index.ts'
import { compilePlan, planHash, type PlanInput } from '../../recovery/index.ts'
import { compileSandboxed } from './prepare.ts'

/** What a run of this input would be bound to by the catalog of now; undefined when the plan is no longer there. */
export function currentPlanHash(
  catalog: Catalog,
  { plan: { name }, form, drill }: PlanInput,
  version: string,
): string | undefined {
  const declared = catalog.plans[name]
  if (declared === undefined) return undefined
  const plan = drill?.sandbox === undefined ? compilePlan(declared) : compileSandboxed(declared, form, drill.sandbox.folder).plan
  return planHash(plan, version)
}
