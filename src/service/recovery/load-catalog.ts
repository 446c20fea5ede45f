import { actions } from '../../actions/index.ts'
import { loadCatalog, type Catalog } from '../../catalog/index.ts'

/** The schemas of all actions' parameters, by the action's name: what the catalog's plans are checked with. */
export const actionParams = Object.fromEntries(actions.map(({ kind, params }) => [kind, params]))

/** A catalog whose plans can be run: the parameters of their steps are checked too. */
export function loadRunCatalog(path: string, signal?: AbortSignal): Promise<Catalog> {
  return loadCatalog(path, { actionParams }, signal)
}
