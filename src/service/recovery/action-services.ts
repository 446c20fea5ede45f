import { join } from 'node:path'
import type { ActionProgress } from '../../actions/index.ts'
import { resolveSecret, type Catalog } from '../../catalog/index.ts'
import { systemClock } from '../../kernel/index.ts'
import type { ActionServices } from '../../recovery/index.ts'
import { openCatalogRepository } from '../open-repository.ts'
import { stateDirectory } from '../state-directory.ts'

/** What the actions of a catalog's plans may use. */
export function actionServices(catalog: Catalog, onProgress: (progress: ActionProgress) => void = () => {}): ActionServices {
  const state = stateDirectory(catalog.file)
  return {
    catalog,
    clock: systemClock,
    stateDirectory: state,
    runDirectory: (runId) => join(state, 'runs', runId),
    openRepository: (name, signal) => openCatalogRepository(catalog, name, signal),
    resolveSecret: (reference, signal) => resolveSecret(reference, signal),
    progress: onProgress,
  }
}
