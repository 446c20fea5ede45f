import type { Catalog, Plan, Step } from '../types.ts'
import type { Lint, LintFinding } from './lint.ts'

/** Whether a plan needs something that is lost in the very disaster that it is for. */
export const survivabilityLints: readonly Lint[] = [
  {
    code: 'restores-from-lost-site',
    title: 'a plan restores from a repository that stands where the service stands',
    why: 'When the site is lost, so is what the plan restores from.',
    mend: 'Name a repository elsewhere in the step, or give it a `disaster` form that does; `recover --repository` does so once.',
    find: (catalog) =>
      eachStep(catalog, (step, lost) => {
        if (!/^(?:files|postgres)\.restore$/.test(step.do.kind)) return []
        const named = text(step, 'repository') ?? catalog.services[text(step, 'service') ?? '']?.backup?.to[0]
        const repository = named === undefined ? undefined : catalog.repositories[named]
        if (repository === undefined || !lost.has(repository.site)) return []
        return [`restores from ${repository.name}, which stands at ${repository.site}`]
      }),
  },
  {
    code: 'acts-in-lost-region',
    title: 'a plan acts in the region that it recovers from',
    why: 'When the region is lost, it takes no orders.',
    mend: 'Act in the other region, or give the step a `disaster` form that leaves it out.',
    find: (catalog) =>
      eachStep(catalog, (step, lost) => {
        const region = text(step, 'region')
        const site = [...lost].find((name) => catalog.sites[name]?.region === region && region !== undefined)
        return site === undefined ? [] : [`acts in ${region}, which is where ${site} is`]
      }),
  },
  {
    code: 'acts-on-lost-cluster',
    title: 'a plan acts on a cluster that stands where the service stands',
    why: 'When the site is lost, so is the cluster, and who could change it.',
    mend: 'Act on a cluster elsewhere, or give the step a `disaster` form that leaves it out.',
    find: (catalog) =>
      eachStep(catalog, (step, lost) => {
        const cluster = catalog.clusters[text(step, 'cluster') ?? '']
        if (cluster?.site === undefined || !lost.has(cluster.site)) return []
        return [`acts on the cluster ${cluster.name}, which stands at ${cluster.site}`]
      }),
  },
]

/** Steps without a form for an unreachable source site, with the sites that the plan recovers from. */
function eachStep(catalog: Catalog, look: (step: Step, lost: ReadonlySet<string>) => string[]): LintFinding[] {
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

function lostSites({ services }: Catalog, { recovers }: Plan): Set<string> {
  return new Set(recovers.flatMap((name) => services[name]?.site ?? []))
}

/** Steps of a plan that is used as a step stand in that one's place. */
function pathOf(plan: Plan, step: Step): LintFinding['path'] {
  const [own = step.id] = step.id.split('/')
  const ids = [...new Set(plan.steps.map(({ id }) => id.split('/')[0]))]
  return ['plans', plan.name, 'steps', Math.max(0, ids.indexOf(own))]
}

function text({ do: { params } }: Step, name: string): string | undefined {
  if (typeof params !== 'object' || params === null || Array.isArray(params)) return undefined
  const value = (params as Record<string, unknown>)[name]
  return typeof value === 'string' && !value.includes('${') ? value : undefined
}
