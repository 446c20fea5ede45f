import { loadRunCatalog, resumeRun } from '../../../service/index.ts'
import { command } from '../../command.ts'
import { contextOf } from '../../context.ts'
import { drillExitCode } from '../drill/wording.ts'
import { catalogPath, findRun, openRuns } from './open-runs.ts'
import { outcomeExitCode, outcomeText } from './wording.ts'
import { watching } from './watcher.ts'

export const runResumeCommand = command('resume', 'go on with an interrupted run where it stopped', [
  ['holdfast run resume latest', 'the newest run'],
])
  .argument('[run]', 'its id, the beginning of it, or latest', 'latest')
  .action(async (id, _options, self) => {
    const { globals, print, signal } = contextOf(self)
    const catalog = await loadRunCatalog(catalogPath(globals), signal)
    await using engine = openRuns(globals)
    const { runId } = await findRun(engine, id)
    const { outcome } = await watching(print, catalog.file, (watcher) => resumeRun(catalog, runId, watcher, signal))
    print.result({ run: runId, result: outcome }, () => outcomeText(outcome))
    process.exitCode = outcome.drill === undefined ? outcomeExitCode(outcome) : drillExitCode(outcome)
  })
