import type { Contact } from '../contact.ts'
import type { ActionCall, Catalog, Plan, Step } from '../types.ts'
import type { LintFinding } from './lint.ts'

/** The sites that a plan recovers from: those of the services that it brings back. */
export function lostSites({ services }: Catalog, { recovers }: Pick<Plan, 'recovers'>): ReadonlySet<string> {
  return new Set(recovers.flatMap((name) => services[name]?.site ?? []))
}

/**
 * Every action that a plan calls when the sites that it recovers from are lost: of a step with a form for that those of the form, else what it does and its
 * check. `look` says what is wrong with one.
 */
export function eachCall(catalog: Catalog, look: (call: ActionCall, lost: ReadonlySet<string>) => string[]): LintFinding[] {
  return Object.values(catalog.plans).flatMap((plan) => {
    const lost = lostSites(catalog, plan)
    return plan.steps.flatMap((step) =>
      callsOf(step).flatMap(({ subject, call }) =>
        look(call, lost).map((what) => ({
          path: pathOf(plan, step),
          message: `${subject} ${step.id} of ${plan.name} ${what}: it cannot work when ${[...lost].join(', ')} is lost`,
        })),
      ),
    )
  })
}

function callsOf({ disaster, ...step }: Step): { readonly subject: string; readonly call: ActionCall }[] {
  if (disaster !== undefined && 'skip' in disaster) return []
  const { do: call, check } = disaster ?? step
  const subject = disaster === undefined ? 'step' : 'the disaster form of step'
  return [{ subject, call }, ...(check === undefined ? [] : [{ subject: `the check of ${subject}`, call: check }])]
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
