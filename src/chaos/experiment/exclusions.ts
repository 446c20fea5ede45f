import type { Exclusion } from '../../catalog/index.ts'

/** Why an experiment touches what it must not; undefined when it does not. @param dependencies of a service, direct and further ones */
export function excludedBecause(
  services: readonly string[],
  excluded: readonly string[],
  dependencies: (service: string) => Iterable<string>,
): string | undefined {
  for (const name of excluded) {
    if (services.includes(name)) return `${name} is excluded from experiments`
    const needed = [...dependencies(name)].find((dependency) => services.includes(dependency))
    if (needed !== undefined) return `${name} is excluded from experiments, and depends on ${needed}`
  }
  return undefined
}

/** What an experiment must not touch. */
export interface Excluded {
  readonly services: readonly string[]
  /** Name and value. A name may be there with several values: each is excluded. */
  readonly labels: readonly (readonly [name: string, value: string])[]
}

/** What is excluded by any of them. */
export function allExcluded(exclusions: readonly (Exclusion | undefined)[]): Excluded {
  return {
    services: [...new Set(exclusions.flatMap((each) => each?.services ?? []))],
    labels: exclusions.flatMap((each) => Object.entries(each?.labels ?? {})),
  }
}
