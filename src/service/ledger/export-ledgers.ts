import type { Catalog } from '../../catalog/index.ts'
import { HoldfastError } from '../../kernel/index.ts'
import { exportLedgers, type ExportSummary } from '../../ledger/index.ts'
import { openCatalogRepository } from '../open-repository.ts'
import { installationKey, openRepositoryLedger } from '../record-evidence.ts'

/**
 * The lines of an export of the ledgers of some repositories. Throws when one of them cannot be opened: an export with a ledger missing would
 * pass for the whole.
 */
export async function* exportCatalogLedgers(
  catalog: Catalog,
  repositories: readonly string[],
  signal: AbortSignal,
): AsyncGenerator<string, ExportSummary> {
  const signer = await installationKey(catalog.file)
  if (signer === undefined)
    throw new HoldfastError('signing-key-unusable', {
      message: 'this installation cannot keep a key, and an export must be signed',
      hint: 'let HOLDFAST_STATE_DIR name a folder that can be written to',
    })
  await using stack = new AsyncDisposableStack()
  const ledgers = []
  for (const name of repositories) {
    const repository = stack.use(await openCatalogRepository(catalog, name, signal))
    ledgers.push({ id: repository.id, repository: name, ledger: openRepositoryLedger(repository, catalog) })
  }
  return yield* exportLedgers({ ledgers, keys: catalog.ledger.keys, signer, time: new Date() }, signal)
}
