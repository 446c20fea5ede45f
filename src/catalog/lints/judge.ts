import type { Path } from '../finding.ts'
import type { AcceptedRisk, Catalog } from '../types.ts'
import { lints } from './all.ts'

/** What a lint found in a catalog. */
export interface Weakness {
  readonly code: string
  readonly path: Path
  readonly message: string
  readonly hint?: string
  /** Somebody has accepted it, and that has not run out. */
  readonly accepted?: AcceptedRisk
}

/** Everything that the lints find, in their order. */
export function weaknessesOf(catalog: Catalog, now: Date): Weakness[] {
  return lints.flatMap(({ code, find, mend }) =>
    find(catalog, now).map((finding): Weakness => {
      const accepted = catalog.accepted.find((risk) => applies(risk, code, finding.path, now))
      return { code, hint: mend, ...finding, ...(accepted ? { accepted } : {}) }
    }),
  )
}

/** Those that name a lint which does not exist, or that have run out. */
export function staleAcceptances(catalog: Catalog, now: Date): StaleAcceptance[] {
  const known = new Set(lints.map(({ code }) => code))
  return catalog.accepted.flatMap((risk, index): StaleAcceptance[] => {
    if (!known.has(risk.lint)) return [{ index, why: 'unknown-lint' }]
    return isOver(risk, now) ? [{ index, why: 'expired' }] : []
  })
}

export interface StaleAcceptance {
  /** In the catalog's list. */
  readonly index: number
  readonly why: 'unknown-lint' | 'expired'
}

function applies(risk: AcceptedRisk, code: string, path: Path, now: Date): boolean {
  return risk.lint === code && (risk.of === undefined || path[1] === risk.of) && !isOver(risk, now)
}

/** Its last day is over, wherever on earth that is. */
function isOver({ until }: AcceptedRisk, now: Date): boolean {
  return now.getTime() > Date.parse(`${until}T23:59:59.999-12:00`)
}
