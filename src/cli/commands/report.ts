import { Option } from '@commander-js/extra-typings'
import { hostname } from 'node:os'
import { extname } from 'node:path'
import { exitCodes, HoldfastError, writeFileDurably } from '../../kernel/index.ts'
import { loadRunCatalog, reportFormats, writeReport } from '../../service/index.ts'
import { catalogPath } from '../catalog-path.ts'
import { command } from '../command.ts'
import { contextOf } from '../context.ts'
import { environmentOption } from '../environment-option.ts'
import { refuseUnwritable } from '../output/output-file.ts'

export const reportCommand = command(
  'report',
  'objectives, and what was achieved, drilled, restored and broken in a period: for auditors',
  [
    [
      'holdfast report --from 2026-01-01 --to 2026-07-01 --output half.html',
      'half a year as one HTML file that needs no network',
    ],
    ['holdfast report --from 2026-01-01 --output year.pdf', 'until now, to print'],
    ['holdfast report --from 2026-01-01 --json', 'for a program'],
  ],
)
  .requiredOption('--from <day>', 'the first day (2026-01-01, UTC)', parseDay)
  .addOption(environmentOption())
  .option('--to <day>', 'the day after the last; default: now', parseDay)
  .addOption(new Option('--format <format>', 'default: what the end of the output’s name says, else html').choices(reportFormats))
  .option('--output <file>', 'write it there instead of to stdout; what is there is replaced')
  .action(async ({ from, to = new Date(), format, output, environment }, self) => {
    const { globals, print, signal } = contextOf(self)
    if (to <= from)
      throw new HoldfastError('usage', {
        message: 'the period ends before it begins',
        hint: 'give --from an earlier day than --to',
      })
    const chosen = format ?? (print.json && output === undefined ? 'json' : formatOfName(output))
    if (chosen === 'pdf' && output === undefined)
      throw new HoldfastError('usage', { message: 'a PDF is not for a terminal', hint: 'name a file with --output FILE.pdf' })
    if (output !== undefined) await refuseUnwritable(output)
    const catalog = await loadRunCatalog(catalogPath(globals), signal)
    const { facts, content } = await writeReport(
      catalog,
      { format: chosen, period: { from, to }, host: hostname(), environment },
      signal,
    )
    for (const { repository, because } of facts.unseen) print.note(`${repository} could not be looked into: ${because}`)
    if (facts.unseen.length > 0) process.exitCode = exitCodes.partlyDone
    if (output === undefined) {
      process.stdout.write(content)
      return
    }
    await writeFileDurably(output, content, { mode: 0o644 })
    print.result(
      { output, format: chosen, verdict: facts.status.verdict, unseen: facts.unseen },
      () => `${output} is the report of ${catalog.name}`,
    )
  })

function parseDay(text: string): Date {
  const day = new Date(/^\d{4}-\d{2}-\d{2}$/.test(text) ? `${text}T00:00:00Z` : NaN)
  // The 31st of a month with 30 days would be the first of the next.
  if (!Number.isNaN(day.getTime()) && day.toISOString().startsWith(text)) return day
  throw new HoldfastError('usage', { message: `'${text}' is not a day`, hint: 'give it as 2026-01-31' })
}

function formatOfName(output: string | undefined): (typeof reportFormats)[number] {
  const end = extname(output ?? '')
    .slice(1)
    .toLowerCase()
  if (end === '' || end === 'htm') return 'html'
  const format = reportFormats.find((each) => each === end)
  if (format !== undefined) return format
  throw new HoldfastError('usage', {
    message: `no report ends with .${end}`,
    hint: `end the name with ${reportFormats.map((each) => `.${each}`).join(', ')}, or say which with --format`,
  })
}
