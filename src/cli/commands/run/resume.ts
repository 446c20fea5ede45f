import { loadRunCatalog, resumeRun } from '../../../service/index.ts'
import { command } from '../../command.ts'
import { contextOf } from '../../context.ts'
import { endedExitCode, endedText } from './ended.ts'
import { catalogPath } from '../../catalog-path.ts'
import { findRun, openRuns } from './open-runs.ts'
import { watching } from './watcher.ts'

export const runResumeCommand = command('resume', 'go on with an interrupted run where it stopped', [
  ['holdfast run resume latest', 'the newest run'],
])
  .argument('[run]', 'its id, the beginning of it, or latest', 'latest')
  .action(async (id, _options, self) => {
    const { globals, print, signal } = contextOf(self)
    const catalog = await loadRunCatalog(catalogPath(globals), signal)
    await using engine = openRuns(globals)
    const run = await findRun(engine, id)
    const { outcome } = await watching(print, catalog.file, (watcher) => resumeRun(catalog, run.runId, watcher, signal))
    print.result({ run: run.runId, result: outcome }, () => endedText(run, outcome))
    process.exitCode = endedExitCode(outcome)
  })
