import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { ActionProgress } from '../../actions/index.ts'
import { secretsOf, type Catalog, type SecretRef } from '../../catalog/index.ts'
import { HoldfastError, systemClock, stateDirectory } from '../../kernel/index.ts'
import type { ActionServices } from '../../recovery/index.ts'
import { openCatalogRepository } from '../open-repository.ts'

/** This program, for those that run it when this process is gone. */
const program = [process.execPath, fileURLToPath(new URL('../../../bin/holdfast.js', import.meta.url))]

/** What the actions of a catalog's plans may use. */
export function actionServices(catalog: Catalog, onProgress: (progress: ActionProgress) => void = () => {}): ActionServices {
  const state = stateDirectory(catalog.file)
  return {
    catalog,
    clock: systemClock,
    stateDirectory: state,
    runDirectory: (runId) => join(state, 'runs', runId),
    openRepository: (name, signal) => openCatalogRepository(catalog, name, signal),
    resolveSecret: secretsOf(catalog),
    fetching(name) {
      const entry = catalog.repositories[name]
      if (entry === undefined) throw new HoldfastError('usage', { message: `the catalog names no repository '${name}'` })
      return { repository: { location: entry.location, password: plainReference(entry.password) }, program }
    },
    progress: onProgress,
  }
}

/** The same reference, as a list that may be changed. */
function plainReference(reference: SecretRef): { env: string } | { file: string } | { command: [string, ...string[]] } {
  return 'command' in reference ? { command: [...reference.command] } : reference
}
