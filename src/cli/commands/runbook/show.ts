import { readFile } from 'node:fs/promises'
import { HoldfastError, systemCode, writeFileDurably } from '../../../kernel/index.ts'
import { runbookFormats, type RunbookFormat } from '../../../recovery/index.ts'
import { isRunbook, loadRunCatalog, writeRunbook } from '../../../service/index.ts'
import { command } from '../../command.ts'
import { contextOf } from '../../context.ts'
import { catalogPath } from '../run/open-runs.ts'

export const runbookShowCommand = command('show', 'write the runbook of a service (`holdfast runbook SERVICE` is short for it)', [
  ['holdfast runbook orders-db', 'as Markdown, on stdout'],
  [
    'holdfast runbook orders-db --output RUNBOOK.md --no-evidence',
    'for a repository of source code: changes only with the catalog',
  ],
  ['holdfast runbook orders-db --format html > orders-db.html', 'to print: one file, no network'],
])
  .argument('<service>', 'a service of the catalog that has a plan')
  .option(
    '--format <format>',
    'md or html; without it, what the end of the output’s name says, else md. PDF: print the HTML',
    readFormat,
  )
  .option('--output <file>', 'write it there instead; only a runbook is replaced')
  .option('--no-evidence', 'look at no ledger and no past run: leave out what was measured')
  .action(async (service, { format, output, evidence }, self) => {
    const { globals, print, signal } = contextOf(self)
    const chosen = format ?? formatOfName(output) ?? 'md'
    const catalog = await loadRunCatalog(catalogPath(globals), signal)
    const { text, unseen, ...about } = await writeRunbook({ catalog, service, format: chosen, withEvidence: evidence }, signal)
    for (const { place, because } of unseen) print.note(`the repository ${place} could not be looked into: ${because}`)
    if (output === undefined) {
      print.result({ ...about, format: chosen, unseen, text }, () => text)
      return
    }
    await refuseOther(output)
    await writeFileDurably(output, text, { mode: 0o644 })
    print.result({ ...about, format: chosen, unseen, output }, () => `${output} is the runbook of ${service}`)
  })

function readFormat(text: string): RunbookFormat {
  const known = runbookFormats.find((format) => format === text)
  if (known !== undefined) return known
  if (text === 'pdf') throw noPdf()
  throw new HoldfastError('usage', {
    message: `'${text}' is not a format of runbooks`,
    hint: `it can be ${runbookFormats.join(' or ')}`,
  })
}

function formatOfName(output: string | undefined): RunbookFormat | undefined {
  const end = /\.([a-z]+)$/i.exec(output ?? '')?.[1]?.toLowerCase()
  if (end === 'pdf') throw noPdf()
  return end === 'html' || end === 'htm' ? 'html' : undefined
}

function noPdf(): HoldfastError {
  return new HoldfastError('usage', {
    message: 'runbooks cannot be written as PDF yet',
    hint: 'write it with --format html, open it in a browser, and print it into a file',
  })
}

/** Throws `already-exists` for a file that is something else: it is not ours to replace. */
async function refuseOther(path: string): Promise<void> {
  let existing: string
  try {
    existing = await readFile(path, 'utf8')
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return
    throw error
  }
  if (existing === '' || isRunbook(existing)) return
  throw new HoldfastError('already-exists', {
    message: `${path} is not a runbook that Holdfast wrote`,
    hint: 'give another name, or remove it first',
    details: { path },
  })
}
