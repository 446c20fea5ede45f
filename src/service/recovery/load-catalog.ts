import { checkCatalog, requireValid, type Catalog, type CatalogCheck } from '../../catalog/index.ts'
import { programIdentity } from './program-identity.ts'

/**
 * Checks a catalog whose plans and experiments can be run: the parameters of their steps and faults are checked too. The modules of all actions and faults, which know
 * these, are loaded only where it has to be checked: that takes longer than reading a catalog.
 */
export function checkRunCatalog(path: string, signal?: AbortSignal): Promise<CatalogCheck> {
  return checkCatalog(path, { calls: () => import('./known-params.ts'), program: programIdentity() }, signal)
}

/** As checkRunCatalog. Throws `catalog-invalid` where something is wrong. */
export async function loadRunCatalog(path: string, signal?: AbortSignal): Promise<Catalog> {
  return requireValid(await checkRunCatalog(path, signal)).catalog
}
