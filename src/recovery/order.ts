import { HoldfastError } from '../kernel/index.ts'

interface Node {
  readonly id: string
  readonly after: readonly string[]
}

/** Every step after what it waits for; in the catalog's order where there is a choice. Throws `catalog-invalid` for cycles and unknown steps. */
export function topologicalOrder<T extends Node>(steps: readonly T[]): T[] {
  const places = new Map(steps.map(({ id }, place) => [id, place]))
  if (places.size !== steps.length) throw invalid('two steps have the same id')
  const waiting = steps.map(({ after }) => new Set(after).size)
  const dependents = dependentsByStep(steps)
  // The first in the catalog's order is the last of the array.
  const ready = steps.flatMap((_, place) => (waiting[place] === 0 ? [place] : [])).reverse()
  const ordered: T[] = []
  for (let place = ready.pop(); place !== undefined; place = ready.pop()) {
    const step = steps[place] as T
    ordered.push(step)
    for (const dependent of dependents.get(step.id) ?? []) {
      const at = places.get(dependent) ?? 0
      const left = (waiting[at] ?? 0) - 1
      waiting[at] = left
      if (left === 0) insertDescending(ready, at)
    }
  }
  if (ordered.length < steps.length) throw stuck(steps, ordered)
  return ordered
}

/** All steps that a step waits for, directly or through others. */
export function ancestors(id: string, steps: readonly Node[]): Set<string> {
  const after = new Map(steps.map((step) => [step.id, step.after]))
  const found = new Set<string>()
  const open = [...(after.get(id) ?? [])]
  for (let step = open.pop(); step !== undefined; step = open.pop()) {
    if (found.has(step)) continue
    found.add(step)
    open.push(...(after.get(step) ?? []))
  }
  return found
}

/** The steps that wait, directly or through others, for one for which `isSuch` holds. Each step is asked once. */
export function stepsBehind<T extends Node>(steps: readonly T[], isSuch: (step: T) => boolean): Set<string> {
  const behind = new Set<string>()
  const sources = new Set<string>()
  for (const step of topologicalOrder(steps)) {
    if (step.after.some((before) => sources.has(before) || behind.has(before))) behind.add(step.id)
    if (isSuch(step)) sources.add(step.id)
  }
  return behind
}

/**
 * The order in which completed steps are undone: the last completed first, but never a step before one that built on it, even where a
 * clock went back between them.
 */
export function undoOrder<T extends Node & { readonly completedAtMs: number }>(
  completed: readonly T[],
  steps: readonly Node[],
): T[] {
  const places = new Map(completed.map(({ id }, place) => [id, place]))
  const after = new Map(steps.map((step) => [step.id, new Set(step.after)]))
  const dependentsLeft = new Map([...dependentsByStep(steps)].map(([id, dependents]) => [id, dependents.length]))
  /** Places of completed steps that nothing builds on which is still to be undone. */
  const free = new Set<number>()
  const release = (id: string) => {
    const open = [id]
    for (let step = open.pop(); step !== undefined; step = open.pop()) {
      const place = places.get(step)
      if (place === undefined) open.push(...withoutDependent(step))
      else free.add(place)
    }
  }
  const withoutDependent = (id: string) =>
    [...(after.get(id) ?? [])].filter((before) => {
      const left = (dependentsLeft.get(before) ?? 0) - 1
      dependentsLeft.set(before, left)
      return left === 0
    })
  for (const { id } of steps) if (!dependentsLeft.has(id)) release(id)

  const ordered: T[] = []
  while (free.size > 0) {
    const latest = [...free].reduce((best, place) => (isLater(place, best) ? place : best))
    free.delete(latest)
    const step = completed[latest] as T
    ordered.push(step)
    for (const before of withoutDependent(step.id)) release(before)
  }
  return ordered

  /** Of two that were completed in the same millisecond, the later in the plan. */
  function isLater(place: number, than: number): boolean {
    const [a, b] = [completed[place]?.completedAtMs ?? 0, completed[than]?.completedAtMs ?? 0]
    return a === b ? place > than : a > b
  }
}

/** The ids of the steps that wait directly for each; steps for which none does are not in it. */
function dependentsByStep(steps: readonly Node[]): Map<string, string[]> {
  const dependents = new Map<string, string[]>()
  for (const { id, after } of steps) {
    for (const before of new Set(after)) {
      const known = dependents.get(before)
      if (known === undefined) dependents.set(before, [id])
      else known.push(id)
    }
  }
  return dependents
}

function insertDescending(places: number[], place: number): void {
  let [low, high] = [0, places.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if ((places[middle] ?? 0) > place) low = middle + 1
    else high = middle
  }
  places.splice(low, 0, place)
}

function stuck(steps: readonly Node[], ordered: readonly Node[]): HoldfastError {
  const placed = new Set(ordered.map(({ id }) => id))
  const known = new Set(steps.map(({ id }) => id))
  const left = steps.filter(({ id }) => !placed.has(id))
  const missing = left.flatMap(({ id, after }) =>
    after.filter((before) => !known.has(before)).map((before) => `${id} waits for ${before}`),
  )
  if (missing.length > 0) return invalid(`${missing.join(', ')}, which is not a step of the plan`)
  return invalid(`the steps ${left.map(({ id }) => id).join(', ')} wait for each other`)
}

function invalid(message: string): HoldfastError {
  return new HoldfastError('catalog-invalid', { message, hint: '`holdfast validate` shows where' })
}
