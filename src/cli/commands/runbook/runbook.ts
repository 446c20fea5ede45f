import { command } from '../../command.ts'
import { runbookCheckCommand } from './check.ts'
import { runbookShowCommand } from './show.ts'

export const runbookCommand = command('runbook', 'a recovery plan for people: every step with its plain commands', [
  ['holdfast runbook orders-db', 'as Markdown, on stdout'],
  ['holdfast runbook orders-db --output RUNBOOK.html', 'as one HTML file, for the screen and to print'],
  ['holdfast runbook orders-db --output RUNBOOK.pdf', 'as PDF, A4, with page numbers'],
  ['holdfast runbook check orders-db RUNBOOK.md', 'for CI: exit code 1 when the committed file is no longer true'],
])
  .usage('SERVICE | --plan PLAN [--format md|html|pdf] [--output FILE] [--no-evidence] | check SERVICE FILE')
  .addCommand(runbookShowCommand, { isDefault: true })
  .addCommand(runbookCheckCommand)
