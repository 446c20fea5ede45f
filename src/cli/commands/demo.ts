import { InvalidArgumentError } from '@commander-js/extra-typings'
import { exitCodes } from '../../kernel/index.ts'
import { runDemo, type DemoEvent } from '../../service/index.ts'
import { command } from '../command.ts'
import { contextOf } from '../context.ts'
import { demoEventText, demoReportText } from '../output/demo.ts'
import type { Printer } from '../output/printer.ts'

export const demoCommand = command('demo', 'protect, destroy and recover a real PostgreSQL, and prove what came back', [
  ['holdfast demo', 'about half a minute, nothing to set up'],
  ['holdfast demo --keep ./demo', 'keep the repository, the recovered data and the catalog to look at'],
  ['holdfast demo --asynchronous', 'let commits not wait for the WAL receiver: the newest rows may be lost'],
])
  .option('--keep <dir>', 'a new or empty folder in which everything is left')
  .option('--seconds <n>', 'how long rows are written before the disaster', positiveSeconds, 20)
  .option('--asynchronous', 'commits do not wait until their WAL is in the repository')
  .action(async ({ keep, seconds, asynchronous }, self) => {
    const { print, signal } = contextOf(self)
    const report = await runDemo(
      { seconds, synchronous: asynchronous !== true, ...(keep === undefined ? {} : { keep }) },
      (event) => show(print, event),
      signal,
    )
    print.result(report, demoReportText)
    process.exitCode = report.verdict === 'met' ? exitCodes.done : exitCodes.objectiveMissed
  })

function show(print: Printer, event: DemoEvent): void {
  if (print.json || event.event === 'progress') print.progress(event, () => demoEventText(event))
  else if (event.event === 'done') print.note(demoEventText(event))
}

function positiveSeconds(text: string): number {
  const value = Number(text)
  if (Number.isFinite(value) && value > 0 && value <= 3600) return value
  throw new InvalidArgumentError('a number of seconds above 0, at most 3600.')
}
