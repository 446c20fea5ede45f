import { HoldfastError } from '../../../kernel/index.ts'
import { outcomeOf, runBackground } from '../../../service/index.ts'
import { command } from '../../command.ts'
import { contextOf } from '../../context.ts'
import { endedExitCode, endedText } from './ended.ts'
import { openLiveView } from './live/live-view.ts'
import { catalogPath } from '../../catalog-path.ts'
import { findRun, openRuns } from './open-runs.ts'
import { summarize } from './summary.ts'
import { canDraw, lineWatcher } from './watcher.ts'

export const runWatchCommand = command('watch', 'follow a run until it ends, without touching it', [
  ['holdfast run watch latest', 'the newest run, from its beginning'],
  ['holdfast run watch latest --json', 'its events as NDJSON on stderr, its outcome on stdout'],
])
  .argument('[run]', 'its id, the beginning of it, or latest', 'latest')
  .action(async (id, _options, self) => {
    const { globals, print, signal } = contextOf(self)
    await using engine = openRuns(globals)
    const { runId } = await findRun(engine, id)
    await follow(engine.history(runId, { follow: true }, signal))
    const view = await engine.status(runId)
    const outcome = outcomeOf(view)
    if (outcome === undefined) throw new HoldfastError('internal', { message: `run ${runId} ended without a result` })
    print.result({ ...summarize(view), result: outcome }, () => endedText(view, outcome))
    process.exitCode = endedExitCode(outcome)

    async function follow(history: ReturnType<typeof engine.history>): Promise<void> {
      if (!canDraw(print)) {
        const { onEvent } = lineWatcher(print)
        for await (const event of history) onEvent(event)
        return
      }
      const holder = async (id: string) => {
        const { owner } = await engine.status(id)
        // A host is told with the namespace of its process ids, which says nothing to a person.
        return owner === undefined ? undefined : `process ${owner.pid} on ${owner.host.split(' ')[0]}`
      }
      using view = openLiveView(process.stderr, ({ input }) => runBackground(catalogPath(globals), input), holder)
      for await (const event of history) view.onEvent(event)
    }
  })
