import { access } from 'node:fs/promises'
import { createFileDurably, HoldfastError, systemCode, type DurableFile } from '../../../kernel/index.ts'
import { loadCatalog } from '../../../catalog/index.ts'
import { exportCatalogLedgers } from '../../../service/index.ts'
import { catalogPath } from '../../catalog-path.ts'
import { command } from '../../command.ts'
import { contextOf } from '../../context.ts'
import { counted } from '../../output/counted.ts'
import { refuseUnwritable } from '../../output/output-file.ts'

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
    const catalog = await loadCatalog(catalogPath(globals), {}, signal)
    const lines = exportCatalogLedgers(
      catalog,
      repository === undefined ? Object.keys(catalog.repositories) : [repository],
      signal,
    )
    await using target = await openOutput(output)
    let next = await lines.next()
    for (; next.done !== true; next = await lines.next()) await target.write(next.value)
    await target.commit()
    const { records, damaged } = next.value
    if (output === undefined) print.note(`${counted(records, 'record')} exported`)
    else print.result({ output, records, damaged }, () => `${counted(records, 'record')} in ${output}`)
    if (damaged > 0)
      throw new HoldfastError('ledger-damaged', {
        message: `${counted(damaged, 'record')} could not be read, and stand in the export as damaged`,
        hint: '`holdfast ledger verify` says what is wrong with them',
      })
  })

/** Nothing has the name of the output before all of it is there: what failed in the middle must not pass for an export. */
async function openOutput(path: string | undefined): Promise<DurableFile> {
  if (path === undefined) {
    const write = (text: string | Uint8Array) =>
      new Promise<void>((resolve, reject) => process.stdout.write(text, (error) => (error ? reject(error) : resolve())))
    const nothing = () => Promise.resolve()
    return { write, commit: nothing, [Symbol.asyncDispose]: nothing }
  }
  await refuseUnwritable(path)
  if (await isThere(path)) throw alreadyThere(path)
  const file = await createFileDurably(path, { exclusive: 'also-without-links' })
  const commit = async () => {
    try {
      await file.commit()
    } catch (error) {
      throw systemCode(error) === 'EEXIST' ? alreadyThere(path) : error
    }
  }
  return { write: (data) => file.write(data), commit, [Symbol.asyncDispose]: () => file[Symbol.asyncDispose]() }
}

async function isThere(path: string): Promise<boolean> {
  try {
    await access(path)
    return true
  } catch {
    return false
  }
}

function alreadyThere(path: string): HoldfastError {
  return new HoldfastError('already-exists', { message: `${path} is there already`, hint: 'name another file' })
}
