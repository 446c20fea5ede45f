import type { DurableEngine, RunView } from '../../../durable/index.ts'
import { HoldfastError } from '../../../kernel/index.ts'
import { openRunsAt } from '../../../service/index.ts'
import type { GlobalOptions } from '../../command.ts'

export function catalogPath({ catalog }: GlobalOptions): string {
  return catalog ?? 'holdfast.yaml'
}

/** The runs beside the catalog that the options name. */
export function openRuns(options: GlobalOptions): DurableEngine {
  return openRunsAt(catalogPath(options))
}

/** The run of that id, or of the only id that begins so; `latest` is the newest. Throws `run-not-found`, or `usage` for an ambiguous one. */
export async function findRun(engine: DurableEngine, text: string): Promise<RunView> {
  const runs = await engine.list()
  const found = text === 'latest' ? runs.slice(-1) : runs.filter(({ runId }) => runId === text)
  const matching = found.length > 0 ? found : runs.filter(({ runId }) => runId.startsWith(text))
  const [run, ...others] = matching
  if (run !== undefined && others.length === 0) return run
  if (run === undefined) return await engine.status(text)
  throw new HoldfastError('usage', {
    message: `'${text}' could be any of ${matching.length} runs`,
    hint: `give more of its id: ${matching.map(({ runId }) => runId).join(', ')}`,
  })
}
