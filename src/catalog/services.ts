import { findCycles } from './graph.ts'
import { valueAt } from './structure.ts'
import { isPlainMap, type Finding, type Path } from './finding.ts'
import type { CatalogSource } from './catalog-source.ts'

/** What is wrong between services and plans: dependency cycles, and a plan that is named by a service that it does not bring back. */
export function serviceFindings(catalog: unknown, source: CatalogSource): Finding[] {
  const services = valueAt(catalog, ['services'])
  if (!isPlainMap(services)) return []
  const dependsOn = new Map(Object.entries(services).map(([name, service]) => [name, texts(valueAt(service, ['dependsOn']))]))
  const cycles = findCycles(dependsOn).map((cycle): Finding => {
    const [first = '', closing = ''] = [cycle[0], cycle.at(-2)]
    const list = valueAt(services, [closing, 'dependsOn'])
    const path: Path = ['services', closing, 'dependsOn', Array.isArray(list) ? list.indexOf(first) : 0]
    return {
      code: 'dependency-cycle',
      offset: source.valueOffset(path),
      message: `services depend on each other: ${cycle.join(' → ')}`,
      expected: 'an order in which every service can come up',
      hint: 'remove one of these dependencies; none of the services could be the first to start',
    }
  })
  const external = valueAt(catalog, ['external'])
  const twice = Object.keys(isPlainMap(external) ? external : {}).filter((name) => Object.hasOwn(services, name))
  const named = twice.map((name): Finding => ({
    code: 'duplicate-entry',
    offset: source.keyOffset(['external', name]),
    message: `'${name}' is a service and something external`,
    hint: 'give one of the two another name: dependsOn could mean either',
  }))
  return [
    ...cycles,
    ...named,
    ...Object.entries(services).flatMap(([name, service]) => recoveryFindings(catalog, name, service, source)),
  ]
}

function recoveryFindings(catalog: unknown, name: string, service: unknown, source: CatalogSource): Finding[] {
  const plan = valueAt(service, ['recovery'])
  const entry = typeof plan === 'string' ? valueAt(catalog, ['plans', plan]) : undefined
  if (!isPlainMap(entry)) return []
  const offset = source.valueOffset(['services', name, 'recovery'])
  const open = Object.entries(isPlainMap(entry.params) ? entry.params : {}).filter(
    ([, param]) => valueAt(param, ['default']) === undefined,
  )
  if (open.length > 0) {
    const names = open.map(([param]) => param).join(', ')
    return [
      {
        code: 'wrong-value',
        offset,
        message: `the plan '${String(plan)}' cannot run by itself: its parameters ${names} have no default`,
        hint: 'give them a default, or name a plan that uses it as a step',
      },
    ]
  }
  const recovers = entry.recovers ?? []
  if (!Array.isArray(recovers) || recovers.includes(name)) return []
  return [
    {
      code: 'wrong-value',
      offset,
      message: `the plan '${String(plan)}' does not bring back ${name}`,
      expected: `a plan whose 'recovers' holds ${name}`,
      hint: `write recovers: [${[...texts(recovers), name].join(', ')}] in plans.${String(plan)}`,
    },
  ]
}

function texts(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : []
}
