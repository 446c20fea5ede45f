import { join } from 'node:path'
import { servicesIn, type Catalog, type ServiceEnvironment } from '../../catalog/index.ts'
import { isHoldfastError, type HoldfastError, stateDirectory } from '../../kernel/index.ts'
import { inputOf, openRunsAt } from '../recovery/run-views.ts'
import { abortRun, type FinishedRun, type RunWatcher } from '../recovery/recover.ts'
import { soleProcess } from '../sole-process.ts'
import { drillsDue, type DueDrill, type DueReport } from './due.ts'
import { prepareDrill } from './prepare.ts'
import { runDrill } from './run.ts'

/** Who starts drills by their cadence: by it those are known that a crash left behind. */
const requester = 'drill run --due'

export interface DueRun {
  readonly drill: DueDrill
  /** What came of it; absent when it did not begin, or broke off. */
  readonly run?: FinishedRun
  readonly error?: HoldfastError
}

export interface DueRuns {
  /** Sandbox drills that were due, in the order in which they were run. */
  readonly runs: readonly DueRun[]
  /** Live drills that are due, or soon will be: they need people, and are not run. */
  readonly gamedays: readonly DueDrill[]
  /** Drills that an earlier call had begun and did not end, because it was killed: aborted, and their sandboxes removed. */
  readonly aborted: readonly { readonly runId: string; readonly error?: HoldfastError }[]
  /** How many drills those plans have at all. None is no good news. */
  readonly known: number
  readonly unseen: DueReport['unseen']
}

/**
 * Runs the sandbox drills of a catalog that are due, or of plans that recover a service of one environment, one after the other; one that fails, or cannot begin, keeps
 * none of the others from it. Aborting the signal lets the drill that runs go: the next call, for whichever environment, aborts it, and drills anew. Throws `run-busy`
 * while another process does the same, and `usage` before anything is done for an environment without services.
 */
export async function runDueDrills(
  catalog: Catalog,
  { environment }: { readonly environment?: ServiceEnvironment | undefined },
  watcher: RunWatcher & { readonly onDrill?: (drill: DueDrill) => void },
  signal: AbortSignal,
): Promise<DueRuns> {
  // A mistaken one ends nothing that an earlier call has left.
  servicesIn(catalog, environment)
  await using _lock = await soleProcess(
    join(stateDirectory(catalog.file), 'due-drills'),
    'running the drills that are due',
    'they are run one after the other: wait for that process, or see with `holdfast run list` what keeps it',
  )
  const aborted = await abortLeft(catalog, watcher, signal)
  const { drills, unseen } = await drillsDue(catalog, { environment }, signal)
  const runs: DueRun[] = []
  for (const drill of drills.filter(({ kind, overdue }) => kind === 'sandbox' && overdue)) {
    watcher.onDrill?.(drill)
    runs.push({ drill, ...(await runOne(catalog, drill, watcher, signal)) })
  }
  const gamedays = drills.filter(({ kind, overdue, state }) => kind === 'live' && (overdue || state === 'soon'))
  return { runs, gamedays, aborted, known: drills.length, unseen }
}

async function runOne(
  catalog: Catalog,
  { plan: name }: DueDrill,
  watcher: RunWatcher,
  signal: AbortSignal,
): Promise<Omit<DueRun, 'drill'>> {
  try {
    const plan = catalog.plans[name]
    const request = { catalog, name, mode: 'sandbox', requestedBy: requester, ...(plan === undefined ? {} : { plan }) } as const
    return { run: await runDrill(request, await prepareDrill(request, signal), watcher, signal) }
  } catch (error) {
    return { error: failure(error, signal) }
  }
}

async function abortLeft(catalog: Catalog, watcher: RunWatcher, signal: AbortSignal): Promise<DueRuns['aborted']> {
  const left: string[] = []
  {
    await using engine = openRunsAt(catalog.file)
    // One that cannot be read is none of ours to end; `run list` tells of it.
    for (const view of await engine.list({ state: 'interrupted', onUnreadable: () => {} })) {
      if (isOurs(view)) left.push(view.runId)
    }
  }
  const aborted: { runId: string; error?: HoldfastError }[] = []
  for (const runId of left) {
    try {
      await abortRun(catalog, runId, 'the process that ran the drills that were due is gone', watcher, signal)
      aborted.push({ runId })
    } catch (error) {
      aborted.push({ runId, error: failure(error, signal) })
    }
  }
  return aborted
}

function isOurs(view: Parameters<typeof inputOf>[0]): boolean {
  try {
    const { drill, requestedBy } = inputOf(view)
    return drill?.mode === 'sandbox' && requestedBy === requester
  } catch (error) {
    if (isHoldfastError(error)) return false
    throw error
  }
}

/** What kept one drill from its end, but for what ends all of them. */
function failure(error: unknown, signal: AbortSignal): HoldfastError {
  signal.throwIfAborted()
  if (!isHoldfastError(error) || error.code === 'internal') throw error
  return error
}
