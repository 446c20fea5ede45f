import { HoldfastError } from '../kernel/index.ts'

interface Node {
  readonly id: string
  readonly after: readonly string[]
}

/** Every step after what it waits for; in the catalog's order where there is a choice. Throws `catalog-invalid` for cycles and unknown steps. */
export function topologicalOrder<T extends Node>(steps: readonly T[]): T[] {
  const known = new Set(steps.map(({ id }) => id))
  if (known.size !== steps.length) throw invalid('two steps have the same id')
  const ordered: T[] = []
  const placed = new Set<string>()
  while (ordered.length < steps.length) {
    const next = steps.find(({ id, after }) => !placed.has(id) && after.every((before) => placed.has(before)))
    if (next === undefined) {
      const stuck = steps.filter(({ id }) => !placed.has(id))
      const missing = stuck.flatMap(({ id, after }) =>
        after.filter((before) => !known.has(before)).map((before) => `${id} waits for ${before}`),
      )
      if (missing.length > 0) throw invalid(`${missing.join(', ')}, which is not a step of the plan`)
      throw invalid(`the steps ${stuck.map(({ id }) => id).join(', ')} wait for each other`)
    }
    ordered.push(next)
    placed.add(next.id)
  }
  return ordered
}

/** All steps that a step waits for, directly or through others. */
export function ancestors(id: string, steps: readonly Node[]): Set<string> {
  const found = new Set<string>()
  const visit = (step: string) => {
    for (const before of steps.find((node) => node.id === step)?.after ?? []) {
      if (found.has(before)) continue
      found.add(before)
      visit(before)
    }
  }
  visit(id)
  return found
}

/**
 * The order in which completed steps are undone: the last completed first, but never a step before one that built on it, even where a
 * clock went back between them.
 */
export function undoOrder<T extends Node & { readonly completedAtMs: number }>(
  completed: readonly T[],
  steps: readonly Node[],
): T[] {
  const remaining = [...completed]
  const ordered: T[] = []
  while (remaining.length > 0) {
    const free = remaining.filter(({ id }) => !remaining.some((other) => other.id !== id && ancestors(other.id, steps).has(id)))
    const next = free.reduce((latest, step) => (step.completedAtMs >= latest.completedAtMs ? step : latest))
    ordered.push(next)
    remaining.splice(remaining.indexOf(next), 1)
  }
  return ordered
}

function invalid(message: string): HoldfastError {
  return new HoldfastError('catalog-invalid', { message, hint: '`holdfast validate` shows where' })
}
