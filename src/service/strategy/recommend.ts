import { findService, type Catalog, type Strategy } from '../../catalog/index.ts'
import { meets, recommendStrategy, strategyMatrix, type Recommendation, type StrategyMatrix } from '../../objectives/index.ts'

/** What a service of the catalog needs, beside what was chosen for it. */
export interface ServiceRecommendation extends Recommendation {
  readonly service: string
  readonly tier?: number
  readonly chosen?: { readonly strategy: Strategy; readonly meets: boolean }
}

/** For each service by its declared objectives. Throws `unknown-service`. */
export function recommendFor(catalog: Catalog, names: readonly string[]): ServiceRecommendation[] {
  return names.map((name) => {
    const { objectives, strategy, tier } = findService(catalog, name)
    const chosen = catalog.strategies.find((entry) => entry.name === strategy)
    return {
      service: name,
      ...(tier === undefined ? {} : { tier }),
      ...recommendStrategy(catalog.strategies, objectives),
      ...(chosen ? { chosen: { strategy: chosen, meets: meets(chosen, objectives) } } : {}),
    }
  })
}

/** The catalog's strategies as RPO × RTO, its services in it. */
export function matrixOf(catalog: Catalog): StrategyMatrix {
  const services = Object.values(catalog.services).map(({ name, objectives }) => ({ service: name, ...objectives }))
  return strategyMatrix(catalog.strategies, services)
}
