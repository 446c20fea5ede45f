import { openLocalEngine, type DurableEngine, type RunState } from '../../durable/index.ts'
import { HoldfastError, isHoldfastError, runProcess, stateDirectory } from '../../kernel/index.ts'

/** The runs of a catalog, as they are on record. */
export interface DrillRuns extends AsyncDisposable {
  readonly engine: DurableEngine
  /** Undefined: there is none of that id. */
  stateOf(run: string): Promise<RunState | undefined>
}

export function drillRuns(catalogFile: string): DrillRuns {
  const engine = openLocalEngine({ directory: stateDirectory(catalogFile) })
  return {
    engine,
    async stateOf(run) {
      try {
        return (await engine.status(run)).state
      } catch (error) {
        if (isHoldfastError(error, 'run-not-found')) return undefined
        throw error
      }
    },
    [Symbol.asyncDispose]: () => engine[Symbol.asyncDispose](),
  }
}

export interface Unfinished {
  /** Goes on with the run. */
  readonly command: readonly string[]
  readonly run: string
  readonly withinMs: number
}

const toldBytes = 500

/** Brings a run to its end, whatever that is; one that somebody works on already is waited for. Throws `fault-failed` when it does not end. */
export async function finishRun(runs: DrillRuns, { command, run, withinMs }: Unfinished, signal: AbortSignal): Promise<void> {
  const limit = AbortSignal.any([signal, AbortSignal.timeout(withinMs)])
  const state = await runs.stateOf(run)
  if (state === undefined || state === 'completed' || state === 'failed') return
  if (state !== 'interrupted') return void (await runs.engine.attach(run, limit))
  const [program = '', ...args] = command
  const { exitCode, stderr } = await runProcess(program, args, { keepBytes: toldBytes }, limit)
  if ((await runs.stateOf(run)) !== 'interrupted') return
  throw new HoldfastError('fault-failed', {
    message: `${run} cannot go on (exit code ${exitCode}): ${stderr.trim()}`,
    hint: `see why: ${command.join(' ')}`,
  })
}
