import { isPlainMap, type Finding } from './finding.ts'
import { defaultStrategies } from './strategies.ts'
import { valueAt } from './structure.ts'
import type { CatalogSource } from './catalog-source.ts'

/** A strategy that is not one of the usual ones has nothing to take missing figures from; a service may name only what there is. */
export function strategyFindings(catalog: unknown, source: CatalogSource): Finding[] {
  const declared = valueAt(catalog, ['strategies'])
  const own = isPlainMap(declared) ? declared : {}
  const usual = new Set(defaultStrategies.map(({ name }) => name))
  const incomplete = Object.entries(own).flatMap(([name, strategy]): Finding[] => {
    if (usual.has(name) || !isPlainMap(strategy) || strategy.available === false) return []
    const missing = ['rpo', 'rto', 'costPerMonth'].filter((key) => strategy[key] === undefined)
    if (missing.length === 0) return []
    return [
      {
        code: 'missing',
        offset: source.keyOffset(['strategies', name]),
        message: `strategies.${name} lacks ${missing.join(', ')}`,
        expected: 'rpo, rto and costPerMonth',
        hint: `only the usual strategies have figures of their own: ${[...usual].join(', ')}`,
      },
    ]
  })
  return [...incomplete, ...chosenFindings(catalog, own, usual, source)]
}

function chosenFindings(
  catalog: unknown,
  own: Readonly<Record<string, unknown>>,
  usual: ReadonlySet<string>,
  source: CatalogSource,
): Finding[] {
  const services = valueAt(catalog, ['services'])
  if (!isPlainMap(services)) return []
  const available = new Set([...usual, ...Object.keys(own)].filter((name) => valueAt(own, [name, 'available']) !== false))
  return Object.keys(services).flatMap((service): Finding[] => {
    const chosen = valueAt(services, [service, 'strategy'])
    if (typeof chosen !== 'string' || available.has(chosen)) return []
    return [
      {
        code: 'unknown-reference',
        offset: source.valueOffset(['services', service, 'strategy']),
        message: `services.${service}.strategy names the strategy '${chosen}', which ${own[chosen] === undefined ? 'does not exist' : 'is not available'}`,
        expected: `one of ${[...available].join(', ')}`,
        hint: `write '${chosen}' under 'strategies' with its rpo, rto and costPerMonth, or name another one`,
      },
    ]
  })
}
