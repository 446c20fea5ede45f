import { open } from 'node:fs/promises'
import { HoldfastError, systemCode } from '../../../kernel/index.ts'
import { defaultCatalog, loadCatalog } from '../../../catalog/index.ts'
import { exportCatalogLedgers } from '../../../service/index.ts'
import { command } from '../../command.ts'
import { contextOf } from '../../context.ts'
import { counted } from '../../output/counted.ts'

export const ledgerExportCommand = command(
  'export',
  'all records as JSON lines, for somebody who verifies them without Holdfast',
  [
    ['holdfast ledger export --output evidence.jsonl', 'the ledgers of all of the catalog’s repositories'],
    ['holdfast ledger export --repository nas | gzip > nas.jsonl.gz', 'one of them'],
  ],
)
  .option('--output <file>', 'where to; it must not exist yet. Default: standard output')
  .option('--repository <name>', 'only this one of the catalog’s repositories')
  .action(async ({ output, repository }, self) => {
    const { globals, print, signal } = contextOf(self)
    const catalog = await loadCatalog(globals.catalog ?? defaultCatalog(), {}, signal)
    const lines = exportCatalogLedgers(
      catalog,
      repository === undefined ? Object.keys(catalog.repositories) : [repository],
      signal,
    )
    await using target = await openOutput(output)
    let next = await lines.next()
    for (; next.done !== true; next = await lines.next()) await target.write(next.value)
    const { records, damaged } = next.value
    if (output === undefined) print.note(`${counted(records, 'record')} exported`)
    else print.result({ output, records, damaged }, () => `${counted(records, 'record')} in ${output}`)
    if (damaged > 0)
      throw new HoldfastError('ledger-damaged', {
        message: `${counted(damaged, 'record')} could not be read, and stand in the export as damaged`,
        hint: '`holdfast ledger verify` says what is wrong with them',
      })
  })

async function openOutput(path: string | undefined): Promise<AsyncDisposable & { write(text: string): Promise<void> }> {
  if (path === undefined) {
    const write = (text: string) =>
      new Promise<void>((resolve, reject) => process.stdout.write(text, (error) => (error ? reject(error) : resolve())))
    return { write, [Symbol.asyncDispose]: () => Promise.resolve() }
  }
  try {
    const handle = await open(path, 'wx', 0o600)
    return {
      write: async (text) => void (await handle.write(text)),
      async [Symbol.asyncDispose]() {
        await handle.sync()
        await handle.close()
      },
    }
  } catch (error) {
    if (systemCode(error) !== 'EEXIST') throw error
    throw new HoldfastError('already-exists', { message: `${path} is there already`, hint: 'name another file', cause: error })
  }
}
