import { HoldfastError } from '../kernel/index.ts'
import type { Catalog, Service } from './types.ts'

/** For each name, the names that it must come after. */
export type Dependencies = ReadonlyMap<string, readonly string[]>

/**
 * The cycles that a depth-first walk closes, each as the names along it, its first name again at the end (a → b → a). Every cyclic graph
 * gives at least one; names that are not keys are ignored. Iterative: a chain of any length is walked.
 */
export function findCycles(dependencies: Dependencies): string[][] {
  const cycles: string[][] = []
  const done = new Set<string>()
  for (const start of dependencies.keys()) {
    if (done.has(start)) continue
    const trail: { readonly name: string; next: number }[] = [{ name: start, next: 0 }]
    const depth = new Map([[start, 0]])
    for (let top = trail.at(-1); top !== undefined; top = trail.at(-1)) {
      const before: string | undefined = dependencies.get(top.name)?.[top.next++]
      if (before === undefined) {
        done.add(top.name)
        depth.delete(top.name)
        trail.pop()
      } else if (depth.has(before)) cycles.push([...trail.slice(depth.get(before)).map(({ name }) => name), before])
      else if (dependencies.has(before) && !done.has(before)) {
        depth.set(before, trail.length)
        trail.push({ name: before, next: 0 })
      }
    }
  }
  return cycles
}

/** Every name after all that it depends on; in the given order where there is a choice. The graph must have no cycle. */
export function topologicalOrder(dependencies: Dependencies): string[] {
  const waiting = new Map<string, number>()
  const dependents = new Map<string, string[]>()
  const position = new Map([...dependencies.keys()].map((name, index) => [name, index]))
  for (const [name, before] of dependencies) {
    const known = new Set(before.filter((other) => dependencies.has(other)))
    waiting.set(name, known.size)
    for (const other of known) dependents.set(other, [...(dependents.get(other) ?? []), name])
  }
  const order: string[] = []
  let ready = [...dependencies.keys()].filter((name) => waiting.get(name) === 0)
  while (ready.length > 0) {
    order.push(...ready)
    const freed: string[] = []
    for (const name of ready) {
      for (const dependent of dependents.get(name) ?? []) {
        const left = (waiting.get(dependent) ?? 0) - 1
        waiting.set(dependent, left)
        if (left === 0) freed.push(dependent)
      }
    }
    ready = freed.sort((a, b) => (position.get(a) ?? 0) - (position.get(b) ?? 0))
  }
  return order
}

/** The catalog's services, each after all that it depends on: the order in which they come back. Reversed: in which they stop. */
export function dependencyOrder(catalog: Catalog): Service[] {
  return topologicalOrder(new Map(Object.values(catalog.services).map(({ name, dependsOn }) => [name, dependsOn]))).map((name) =>
    findService(catalog, name),
  )
}

/** The names of these services and of all that they depend on, directly or not. Names of no service are left out. */
export function withDependencies(catalog: Catalog, names: readonly string[]): Set<string> {
  const needed = new Set<string>()
  const waiting = [...names]
  for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
    const service = catalog.services[name]
    if (service === undefined || needed.has(name)) continue
    needed.add(name)
    waiting.push(...service.dependsOn)
  }
  return needed
}

/** All services that need this one, directly or through others, each after what it depends on. */
export function dependentsOf(catalog: Catalog, name: string): Service[] {
  const needing = new Set([name])
  const found: Service[] = []
  for (const service of dependencyOrder(catalog)) {
    if (!service.dependsOn.some((before) => needing.has(before))) continue
    needing.add(service.name)
    found.push(service)
  }
  return found
}

/** A service by its name. Throws `unknown-service`. */
export function findService(catalog: Catalog, name: string): Service {
  const service = catalog.services[name]
  if (service !== undefined) return service
  const names = Object.keys(catalog.services)
  throw new HoldfastError('unknown-service', {
    message: `there is no service '${name}' in ${catalog.file}`,
    hint:
      names.length === 0
        ? 'the catalog has no services'
        : `its services: ${names.slice(0, 20).join(', ')}${names.length > 20 ? ', …' : ''}`,
    details: { service: name },
  })
}
