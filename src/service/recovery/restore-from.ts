import { restoresFrom } from '../../actions/index.ts'
import type { Catalog } from '../../catalog/index.ts'
import { HoldfastError } from '../../kernel/index.ts'
import type { Plan, PlanInput } from '../../recovery/index.ts'

/**
 * Which steps of a plan are told to restore from a repository: those whose service is backed up there. Others keep what they have. Throws
 * `usage` when there is no such repository, or when no step would take it: whoever names one means that something comes from it.
 */
export function restoreFrom(catalog: Catalog, plan: Plan, repository: string | undefined): Pick<PlanInput, 'restoreFrom'> {
  if (repository === undefined) return {}
  const known = Object.keys(catalog.repositories)
  if (!known.includes(repository)) {
    throw new HoldfastError('usage', {
      message: `the catalog names no repository '${repository}'`,
      hint: `it names ${known.join(', ')}`,
    })
  }
  const steps = plan.steps.filter(({ action, skip }) => skip === undefined && restoresFrom(repository, action, catalog))
  if (steps.length > 0) return { restoreFrom: { repository, steps: steps.map(({ id }) => id) } }
  throw new HoldfastError('usage', {
    message: `no step of the plan ${plan.name} restores anything that is backed up to ${repository}`,
    hint: 'leave --repository out, or see `backup.to` of the services that the plan restores',
  })
}
