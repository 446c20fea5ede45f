import type { ActionCall } from '../types.ts'
import { hostsIn } from './hosts.ts'
import type { Lint } from './lint.ts'
import { eachCall } from './lost.ts'

/** Whether a plan needs something that is lost in the very disaster that it is for. */
export const survivabilityLints: readonly Lint[] = [
  {
    code: 'restores-from-lost-site',
    title: 'a plan restores from a repository that stands where the service stands',
    why: 'When the site is lost, so is what the plan restores from.',
    mend: 'Name a repository elsewhere in the step, or give it a `disaster` form that does; `recover --repository` does so once.',
    find: (catalog) =>
      eachCall(catalog, (call, lost) => {
        if (!/^(?:files|postgres)\.restore$/.test(call.kind)) return []
        const named = text(call, 'repository') ?? catalog.services[text(call, 'service') ?? '']?.backup?.to[0]
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
      eachCall(catalog, (call, lost) => {
        const region = text(call, 'region')
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
      eachCall(catalog, (call, lost) => {
        const cluster = catalog.clusters[text(call, 'cluster') ?? '']
        if (cluster?.site === undefined || !lost.has(cluster.site)) return []
        return [`acts on the cluster ${cluster.name}, which stands at ${cluster.site}`]
      }),
  },
  {
    code: 'acts-on-lost-host',
    title: 'a plan talks to a machine of the site that it recovers from',
    why: 'When the site is lost, nobody answers there: no name server takes the change, no balancer the new address.',
    mend: 'Talk to one elsewhere, or give the step a `disaster` form that leaves it out. Which machines a site has, its `hosts` say; a name without a dot counts where an address is expected, and in what `shell` runs.',
    find: (catalog) =>
      eachCall(catalog, (call, lost) => {
        const words = hostsIn(call)
        return [...lost].flatMap((site) => {
          const host = words.find((word) => catalog.sites[site]?.hosts.some((pattern) => isHost(word, pattern)))
          return host === undefined ? [] : [`talks to ${host}, which is at ${site}`]
        })
      }),
  },
]

/** `*.east.example.com` stands for all names below it. */
function isHost(word: string, pattern: string): boolean {
  const name = word.toLowerCase()
  return pattern.startsWith('*.') ? name.endsWith(pattern.slice(1).toLowerCase()) : name === pattern.toLowerCase()
}

function text({ params }: ActionCall, name: string): string | undefined {
  if (typeof params !== 'object' || params === null || Array.isArray(params)) return undefined
  const value = (params as Record<string, unknown>)[name]
  return typeof value === 'string' && !value.includes('${') ? value : undefined
}
