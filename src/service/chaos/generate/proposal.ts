import type { Service } from '../../../catalog/index.ts'
import { writeDuration, type Json } from '../../../kernel/index.ts'

/** A value that the catalog does not tell: left out of what is proposed, so that `validate` names its place. */
export class Unknown {
  /** What belongs there, in words. */
  readonly what: string

  constructor(what: string) {
    this.what = what
  }
}

/** As a catalog has it, with `Unknown` for what is not known. */
export type Draft = string | number | boolean | Unknown | readonly Draft[] | { readonly [name: string]: Draft }

/** An experiment that could be run. */
export interface Proposal {
  readonly name: string
  /** What it would show, in a sentence. */
  readonly shows: string
  /** The service whose loss would be felt: it says how much this matters. */
  readonly service: string
  /** Services that it is about, and the faults that it injects: by these it is known whether something like it has been run. */
  readonly services: readonly string[]
  readonly faults: readonly string[]
  /** Parameters by which its fault is told from others of the same kind: which repository, which peers. Default: the kind is enough. */
  readonly about?: { readonly [parameter: string]: Draft }
  readonly experiment: Draft
}

/** Whether a value is what a draft says, as far as it says anything. */
export function agrees(draft: Draft, value: Json | undefined): boolean {
  if (draft instanceof Unknown) return true
  if (typeof draft !== 'object') return draft === value
  if (Array.isArray(draft)) {
    return (
      Array.isArray(value) && value.length === draft.length && draft.every((item: Draft, index) => agrees(item, value[index]))
    )
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  return Object.entries(draft).every(([key, member]) => agrees(member, (value as Readonly<Record<string, Json>>)[key]))
}

/** Something that ought to be tried, and that no experiment of this version can. */
export interface LeftOut {
  readonly what: string
  readonly because: string
}

/** How it can be seen that a service is well. */
export function probeOf({ name, health, data: { postgres } }: Service): Draft {
  if (health?.kind === 'http') {
    return { name: `${name} answers`, http: health.url, ...(health.status === 200 ? {} : { expect: { equals: health.status } }) }
  }
  if (health?.kind === 'tcp') return { name: `${name} accepts connections`, tcp: `${health.host}:${health.port}` }
  if (postgres !== undefined) return { name: `${name} can be asked`, sql: 'select 1', url: urlDraft(postgres.url) }
  return { name: `${name} is well`, http: new Unknown(`an address at which ${name} answers; it has no health in the catalog`) }
}

/** A reference as it is written. A path of a secret is absolute by now. */
export function urlDraft(url: NonNullable<Service['data']['postgres']>['url']): Draft {
  return typeof url === 'string' ? url : { ...url }
}

/** What every proposal begins with. It must be back within the service's RTO, and some time is left for the rest. */
export function frameOf(service: Service, title: string): { readonly [name: string]: Draft } {
  return {
    description: title,
    hypothesis: { title: `${service.name} is well`, every: '1s', before: '10s', after: '10s', probes: [probeOf(service)] },
    limit: writeDuration(2 * service.objectives.rtoMs + 600_000),
  }
}
