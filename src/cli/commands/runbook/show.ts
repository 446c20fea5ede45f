import { readFile } from 'node:fs/promises'
import { HoldfastError, systemCode, writeFileDurably } from '../../../kernel/index.ts'
import { runbookFormats, type RunbookFormat } from '../../../recovery/index.ts'
import { isRunbook, loadRunCatalog, writeRunbook } from '../../../service/index.ts'
import { command } from '../../command.ts'
import { contextOf } from '../../context.ts'
import { catalogPath } from '../../catalog-path.ts'

export const runbookShowCommand = command('show', 'write the runbook of a service (`holdfast runbook SERVICE` is short for it)', [
  ['holdfast runbook orders-db', 'as Markdown, on stdout'],
  [
    'holdfast runbook orders-db --output RUNBOOK.md --no-evidence',
    'for a repository of source code: changes only with the catalog',
  ],
  ['holdfast runbook orders-db --output orders-db.pdf', 'to print, A4'],
  ['holdfast runbook --plan orders-failback', 'of another plan: the way back after a failover, a gameday'],
  ['holdfast runbook orders-db --format html > orders-db.html', 'for the screen and to print: one file, no network'],
])
  .argument('[service]', 'a service of the catalog that has a plan; needed without --plan')
  .option('--plan <name>', 'of another plan that recovers it, such as its failback; default: the one that the service names')
  .option('--format <format>', 'md, html or pdf; without it, what the end of the output’s name says, else md', readFormat)
  .option('--output <file>', 'write it there instead; only a runbook is replaced')
  .option('--no-evidence', 'look at no ledger and no past run: leave out what was measured')
  .action(async (service, { plan, format, output, evidence }, self) => {
    const { globals, print, signal } = contextOf(self)
    const chosen = format ?? formatOfName(output) ?? 'md'
    const catalog = await loadRunCatalog(catalogPath(globals), signal)
    if (chosen === 'pdf' && output === undefined) refusePdfAsText(print.json)
    const { content, unseen, ...about } = await writeRunbook(
      { catalog, service, plan, format: chosen, withEvidence: evidence },
      signal,
    )
    for (const { place, because } of unseen) print.note(`the repository ${place} could not be looked into: ${because}`)
    if (output === undefined) {
      if (typeof content === 'string') print.result({ ...about, format: chosen, unseen, text: content }, () => content)
      else await writeBytes(content)
      return
    }
    await refuseOther(output)
    await writeFileDurably(output, content, { mode: 0o644 })
    print.result(
      { ...about, format: chosen, unseen, output },
      () => `${output} is the runbook of ${about.service}${plan === undefined ? '' : ` by ${plan}`}`,
    )
  })

function readFormat(text: string): RunbookFormat {
  const known = runbookFormats.find((format) => format === text)
  if (known !== undefined) return known
  throw new HoldfastError('usage', {
    message: `'${text}' is not a format of runbooks`,
    hint: `it can be ${runbookFormats.join(', ')}`,
  })
}

function formatOfName(output: string | undefined): RunbookFormat | undefined {
  const end = /\.([a-z]+)$/i.exec(output ?? '')?.[1]?.toLowerCase()
  if (end === 'pdf') return 'pdf'
  return end === 'html' || end === 'htm' ? 'html' : undefined
}

/** Bytes would make a mess of a terminal, and JSON has none. */
function refusePdfAsText(json: boolean): void {
  if (!json && !process.stdout.isTTY) return
  throw new HoldfastError('usage', {
    message: json ? 'a PDF cannot stand in JSON' : 'a PDF is not for a terminal',
    hint: 'name a file with --output FILE.pdf',
  })
}

/** Returns when all is written: a pipe takes only a part at once. */
function writeBytes(bytes: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    process.stdout.write(bytes, (error) => (error ? reject(error) : resolve()))
  })
}

/** Throws `already-exists` for a file that is something else: it is not ours to replace. */
async function refuseOther(path: string): Promise<void> {
  let existing: Buffer
  try {
    existing = await readFile(path)
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return
    throw error
  }
  if (existing.length === 0 || isRunbook(existing)) return
  throw new HoldfastError('already-exists', {
    message: `${path} is not a runbook that Holdfast wrote`,
    hint: 'give another name, or remove it first',
    details: { path },
  })
}
