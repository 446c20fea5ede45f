import { exitCodes, userName } from '../../../kernel/index.ts'
import { abortRun, loadRunCatalog } from '../../../service/index.ts'
import { command } from '../../command.ts'
import { contextOf } from '../../context.ts'
import { endedText } from './ended.ts'
import { catalogPath } from '../../catalog-path.ts'
import { findRun, openRuns } from './open-runs.ts'
import { watching } from './watcher.ts'

export const runAbortCommand = command('abort', 'cancel a run and undo what it did, unless it is past its point of no return', [
  ['holdfast run abort latest --reason "wrong service"', 'the newest run, whether a process works on it or not'],
])
  .argument('<run>', 'its id, the beginning of it, or latest')
  .option('--reason <text>', 'why, for the record')
  .action(async (id, { reason = `aborted by ${userName()}` }, self) => {
    const { globals, print, signal } = contextOf(self)
    const catalog = await loadRunCatalog(catalogPath(globals), signal)
    await using engine = openRuns(globals)
    const run = await findRun(engine, id)
    const { outcome } = await watching(print, catalog.file, (watcher) => abortRun(catalog, run.runId, reason, watcher, signal))
    print.result({ run: run.runId, result: outcome }, () => endedText(run, outcome))
    // Undone as asked is what this command is for.
    const isGone = outcome.status === 'rolled-back' || outcome.drill?.cleanUp?.clean === true
    process.exitCode = isGone ? exitCodes.done : exitCodes.failed
  })
