import type { Contact } from '../contact.ts'
import type { Catalog, Plan, Step } from '../types.ts'
import type { LintFinding } from './lint.ts'

/** The sites that a plan recovers from: those of the services that it brings back. */
export function lostSites({ services }: Catalog, { recovers }: Pick<Plan, 'recovers'>): ReadonlySet<string> {
  return new Set(recovers.flatMap((name) => services[name]?.site ?? []))
}

/** Steps without a form for an unreachable source site, with the sites that the plan recovers from. `look` says what is wrong with one. */
export function eachStep(catalog: Catalog, look: (step: Step, lost: ReadonlySet<string>) => string[]): LintFinding[] {
  return Object.values(catalog.plans).flatMap((plan) => {
    const lost = lostSites(catalog, plan)
    return plan.steps.flatMap((step) =>
      step.disaster === undefined
        ? look(step, lost).map((what) => ({
            path: pathOf(plan, step),
            message: `step ${step.id} of ${plan.name} ${what}: it cannot work when ${[...lost].join(', ')} is lost`,
          }))
        : [],
    )
  })
}

/** Steps of a plan that is used as a step stand in that one's place. */
function pathOf(plan: Plan, step: Step): LintFinding['path'] {
  const [own = step.id] = step.id.split('/')
  const ids = [...new Set(plan.steps.map(({ id }) => id.split('/')[0]))]
  return ['plans', plan.name, 'steps', Math.max(0, ids.indexOf(own))]
}

/** Whether all of these people work at sites that are lost. Of one whose site is not known nobody can say so. */
export function allAt(people: readonly (Contact | undefined)[], lost: ReadonlySet<string>): boolean {
  return people.length > 0 && people.every((person) => person?.site !== undefined && lost.has(person.site))
}
