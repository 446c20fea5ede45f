import type { Catalog, Experiment } from '../../catalog/index.ts'
import { allExcluded, experimentHash, type Excluded } from '../../chaos/index.ts'
import { compilePlan } from '../../recovery/index.ts'

/** The services that an experiment is about: those that it names, and those that its plan would bring back. */
export function concerned(catalog: Catalog, { services, drill }: Pick<Experiment, 'services' | 'drill'>): string[] {
  return [...new Set([...services, ...(planOf(catalog, drill)?.recovers ?? [])])]
}

/** What the catalog and the experiment exclude. */
export function exclusionsOf(catalog: Catalog, { blastRadius }: Pick<Experiment, 'blastRadius'>): Excluded {
  return allExcluded([catalog.chaos.exclude, blastRadius.exclude])
}

/** Of all that an experiment does: of its plan too. */
export function hashOf(catalog: Catalog, experiment: Experiment): string {
  const plan = planOf(catalog, experiment.drill)
  return experimentHash(experiment, plan === undefined ? undefined : compilePlan(plan))
}

function planOf(catalog: Catalog, drill: Experiment['drill']) {
  return drill === undefined ? undefined : catalog.plans[drill.plan]
}
