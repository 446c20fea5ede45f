import { defaultCatalog, isCatalogHere, defaultStrategies, type Catalog, type Strategy } from '../../../catalog/index.ts'
import { loadRunCatalog } from '../../../service/index.ts'
import type { GlobalOptions } from '../../command.ts'

/** The catalog's strategies; the usual ones where no catalog is named and none lies here. */
export async function strategiesHere(
  { catalog }: GlobalOptions,
  signal: AbortSignal,
): Promise<{ readonly catalog?: Catalog; readonly strategies: readonly Strategy[]; readonly currency: string }> {
  if (catalog === undefined && !isCatalogHere()) return { strategies: defaultStrategies, currency: 'USD' }
  const loaded = await loadRunCatalog(catalog ?? defaultCatalog(), signal)
  return { catalog: loaded, strategies: loaded.strategies, currency: loaded.currency }
}
