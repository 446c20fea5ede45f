import type { DurableEngine, RunView } from '../../../durable/index.ts'
import { HoldfastError } from '../../../kernel/index.ts'
import { openRunsAt } from '../../../service/index.ts'
import { catalogPath } from '../../catalog-path.ts'
import type { GlobalOptions } from '../../command.ts'

/** The runs beside the catalog that the options name. */
export function openRuns(options: GlobalOptions): DurableEngine {
  return openRunsAt(catalogPath(options))
}

/** The run of that id, or of the only id that begins so; `latest` is the newest. Throws `run-not-found`, or `usage` for an ambiguous one. */
export async function findRun(engine: DurableEngine, text: string): Promise<RunView> {
  const unreadable: { readonly runId: string; readonly error: HoldfastError }[] = []
  const onUnreadable = (runId: string, error: HoldfastError) => unreadable.push({ runId, error })
  const runs = await engine.list(text === 'latest' ? { newest: 1, onUnreadable } : { prefix: text, onUnreadable })
  if (text === 'latest') return newest(runs, unreadable[0])
  const whole = runs.filter(({ runId }) => runId === text)
  const matching = whole.length > 0 ? whole : runs
  const [run, ...others] = matching
  if (run !== undefined && others.length === 0) return run
  if (run === undefined) return await engine.status(text)
  throw new HoldfastError('usage', {
    message: `'${text}' could be any of ${matching.length} runs`,
    hint: `give more of its id: ${matching.map(({ runId }) => runId).join(', ')}`,
  })
}

function newest(runs: readonly RunView[], unreadable: { runId: string; error: HoldfastError } | undefined): RunView {
  // It may be the newest: nothing must be done to another run in its place.
  if (unreadable !== undefined) {
    throw new HoldfastError(unreadable.error.code, {
      message: `nobody can tell which run is the latest: ${unreadable.error.message}`,
      hint: 'give the id of the run: `holdfast run list` shows them',
      cause: unreadable.error,
      details: { runId: unreadable.runId },
    })
  }
  const run = runs.at(-1)
  if (run !== undefined) return run
  throw new HoldfastError('run-not-found', {
    message: 'there is no run yet beside this catalog',
    hint: '`holdfast recover SERVICE` starts one; --catalog FILE names another catalog',
  })
}
