import { HoldfastError } from '../../../kernel/index.ts'
import { outcomeOf } from '../../../service/index.ts'
import { command } from '../../command.ts'
import { contextOf } from '../../context.ts'
import { findRun, openRuns } from './open-runs.ts'
import { summarize } from './summary.ts'
import { eventText, outcomeExitCode, outcomeText } from './wording.ts'

export const runWatchCommand = command('watch', 'follow a run until it ends, without touching it', [
  ['holdfast run watch latest', 'the newest run, from its beginning'],
  ['holdfast run watch latest --json', 'its events as NDJSON on stderr, its outcome on stdout'],
])
  .argument('[run]', 'its id, the beginning of it, or latest', 'latest')
  .action(async (id, _options, self) => {
    const { globals, print, signal } = contextOf(self)
    await using engine = openRuns(globals)
    const { runId } = await findRun(engine, id)
    for await (const event of engine.history(runId, { follow: true }, signal)) {
      const text = eventText(event)
      if (print.json) print.progress(event, () => text ?? '')
      else if (text !== undefined) print.note(text)
    }
    const view = await engine.status(runId)
    const outcome = outcomeOf(view)
    if (outcome === undefined) throw new HoldfastError('internal', { message: `run ${runId} ended without a result` })
    print.result({ ...summarize(view), result: outcome }, () => outcomeText(outcome))
    process.exitCode = outcomeExitCode(outcome)
  })
