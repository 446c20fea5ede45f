import { holdsData, type Service } from '../../catalog/index.ts'
import type { ChecklistFacts } from './facts.ts'

/** `unknown`: it could not be looked at. `not-needed`: there is nothing that it could be about. */
export type Readiness = 'yes' | 'no' | 'unknown' | 'not-needed'

/** Where something can be looked up: a path in the catalog, or a record. */
export type Place = { readonly catalog: string } | { readonly repository: string; readonly seq: number }

/** How one service, repository or plan stands. */
export interface Answer {
  /** `orders`; the whole catalog's name where it is about all. */
  readonly of: string
  readonly state: Readiness
  readonly because: string
  readonly evidence: readonly Place[]
  /** What to run, or to write, where it is not so. */
  readonly next?: string
}

export const areas = ['business', 'technical', 'operational'] as const
export type Area = (typeof areas)[number]

/** Something that must be so for a recovery to work on the day, and how that is known. */
export interface ChecklistItem {
  /** Stable: what scripts and `holdfast checklist attest` name it by. */
  readonly code: string
  readonly area: Area
  /** A sentence that is true when it is so. */
  readonly says: string
  /** Only somebody who was there can say so: by their word, and for a time. */
  readonly attested?: true
  readonly answers: (facts: ChecklistFacts) => readonly Answer[]
}

export function inService({ name }: Service, member: string): Place {
  return { catalog: `services.${name}.${member}` }
}

/** An answer for each service that a checklist is of. */
export function ofEach(answer: (service: Service, facts: ChecklistFacts) => Omit<Answer, 'of'>): ChecklistItem['answers'] {
  return (facts) => facts.services.map((service) => ({ of: service.name, ...answer(service, facts) }))
}

/** Of services that hold data; the others do not need it. */
export function ofData(answer: (service: Service, facts: ChecklistFacts) => Omit<Answer, 'of'>): ChecklistItem['answers'] {
  const none = { state: 'not-needed', because: 'it holds no data', evidence: [] } as const
  return ofEach((service, facts) => (holdsData(service) ? answer(service, facts) : none))
}

/**
 * What the catalog says of a service, or of its plan, is so where none of these lints finds anything, or where that was accepted. `member`: of the
 * service, where the catalog says it.
 */
export function byLints(
  codes: readonly string[],
  member: string | ((service: Service) => string),
): (service: Service, facts: ChecklistFacts) => Omit<Answer, 'of'> {
  return (service, { weaknesses }) => {
    const found = weaknesses.filter(({ code, path: [list, entry] }) => {
      if (!codes.includes(code)) return false
      return (list === 'services' && entry === service.name) || (list === 'plans' && entry === service.recovery)
    })
    const open = found.find(({ accepted }) => accepted === undefined)
    if (open) {
      const next = `docs/lints.md#${open.code}${open.hint === undefined ? '' : `: ${open.hint}`}`
      const prefix = `${service.name}: `
      const because = open.message.startsWith(prefix) ? open.message.slice(prefix.length) : open.message
      return { state: 'no', because, evidence: [{ catalog: open.path.join('.') }], next }
    }
    const accepted = found.flatMap((weakness) => weakness.accepted ?? [])
    if (accepted.length > 0) {
      const by = accepted.map((risk) => `${risk.lint} by ${risk.by} until ${risk.until}`).join(', ')
      return { state: 'yes', because: `accepted: ${by}`, evidence: [{ catalog: 'accepted' }] }
    }
    const evidence = [inService(service, typeof member === 'string' ? member : member(service))]
    return { state: 'yes', because: 'the catalog says so, and no lint finds anything', evidence }
  }
}
