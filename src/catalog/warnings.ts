import { staleAcceptances, weaknessesOf } from './lints/judge.ts'
import type { CatalogWarning } from './problem.ts'
import type { Catalog } from './types.ts'
import type { CatalogSource } from './catalog-source.ts'

/** What the lints say of a catalog, each in its place in the file; and what was accepted in vain. */
export function catalogWarnings(catalog: Catalog, source: CatalogSource, now: Date): CatalogWarning[] {
  const at = (path: readonly (string | number)[]) => {
    // Of an entry its name, of a value the value.
    const offset = typeof path.at(-1) === 'number' ? source.valueOffset(path) : source.keyOffset(path)
    return source.place(offset)
  }
  const found = weaknessesOf(catalog, now).map(({ code, path, message, hint, accepted }): CatalogWarning => {
    const why = accepted && { because: accepted.because, by: accepted.by, until: accepted.until }
    return { code, ...at(path), message, ...(hint === undefined ? {} : { hint }), ...(why ? { accepted: why } : {}) }
  })
  const stale = staleAcceptances(catalog, now).map(({ index, why }): CatalogWarning => {
    const risk = catalog.accepted[index]
    return why === 'expired'
      ? {
          code: 'acceptance-expired',
          ...at(['accepted', index]),
          message: `${risk?.lint} was accepted until ${risk?.until} by ${risk?.by}`,
          hint: 'mend it, or have it decided anew',
        }
      : {
          code: 'acceptance-of-nothing',
          ...at(['accepted', index]),
          message: `there is no lint '${risk?.lint}'`,
          hint: 'docs/lints.md lists them',
        }
  })
  return [...found, ...stale].toSorted(inFileOrder(source))
}

/** By file in the order in which they are read, then by place. */
function inFileOrder({ parts }: CatalogSource): (a: CatalogWarning, b: CatalogWarning) => number {
  const order = new Map(parts.map(({ shown }, index) => [shown, index]))
  return (a, b) => (order.get(a.file) ?? 0) - (order.get(b.file) ?? 0) || a.line - b.line || a.column - b.column
}
