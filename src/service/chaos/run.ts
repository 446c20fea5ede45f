import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { resolveSecret, type Catalog } from '../../catalog/index.ts'
import { openGuard, runExperiment, type ExperimentJob, type ExperimentPhase, type ExperimentResult } from '../../chaos/index.ts'
import { faults } from '../../faults/index.ts'
import { HoldfastError, messageOf, ownIdentity, realTime, systemClock, userName, writeFileDurably } from '../../kernel/index.ts'
import { newRunId } from '../recovery/prepare.ts'
import type { RecordPlace } from '../record-once.ts'
import { experimentCanary } from './canary.ts'
import { concerned, exclusionsOf } from './concerns.ts'
import { experimentDrill } from './drill.ts'
import { experimentRecord } from './experiment-record.ts'
import { chaosFolders } from './folders.ts'
import { haltedBecause } from './halt.ts'
import { addToHistory, localRuns, statisticsOf, type ExperimentRun, type ExperimentStatistics } from './history.ts'
import { experimentRuns } from './past-runs.ts'
import { recordExperiments } from './record.ts'
import type { PreparedExperiment } from './prepare.ts'

/** How long the past may take to be read: what a ledger does not say by then is left out of the statistics. */
const historyMs = 60_000

export interface FinishedExperiment extends ExperimentResult {
  readonly runId: string
  /** Where all that was seen is kept. */
  readonly file: string
  /** Whether samples were taken with real-time priority, and why not. */
  readonly sampling: { readonly realTime: boolean; readonly because?: string }
  /** Of all runs of this hash so far, with this one. */
  readonly statistics: ExperimentStatistics
  /** Where it is on record, and where it could not be put; empty: no repository is for its services. Absent: that is left to the next run, see `unrecorded`. */
  readonly ledger?: readonly RecordPlace[]
  /** Why it is not on record yet, although the outcome is known. */
  readonly unrecorded?: string
  /** Why the statistics are not of all runs that are on record. */
  readonly uncounted?: string
}

/**
 * Runs an experiment that no guardrail forbids, and gives its outcome, whatever it is. That it begins is durable before anything is broken.
 * Throws `preflight-failed` with the guardrails that forbid it.
 */
export async function runCatalogExperiment(
  catalog: Catalog,
  { experiment, hash, environment, bound, guardrails }: PreparedExperiment,
  { onPhase }: { readonly onPhase?: (phase: ExperimentPhase | 'clean-up') => void },
  signal: AbortSignal,
): Promise<FinishedExperiment> {
  if (guardrails.length > 0) {
    const hints = new Set(guardrails.flatMap(({ hint }) => hint ?? []))
    throw new HoldfastError('preflight-failed', {
      message: `nothing was begun: ${guardrails.map(({ message }) => message).join('; ')}`,
      ...(hints.size === 0 ? {} : { hint: [...hints].join('\n') }),
      details: { guardrails: guardrails.map(({ code, message }) => ({ code, message })) },
    })
  }
  const runId = newRunId(`chaos-${experiment.name}`)
  const folders = chaosFolders(catalog.file)
  const at = () => new Date().toISOString()
  const by = userName()
  const about = { runId, experiment: experiment.name, hash, environment, by }
  const drill = experimentDrill(catalog, experiment, runId)
  const canary = await experimentCanary(experiment, runId, signal)
  const startedAt = at()
  const spare = exclusionsOf(catalog, experiment).labels
  await addToHistory(catalog.file, { type: 'began', ...about, at: startedAt, process: await ownIdentity() })
  const { sampling, result } = await runOnTime(
    {
      experiment,
      faults: bound,
      clock: systemClock,
      resolveSecret,
      openGuard: (signal) => openGuard({ directory: folders.faults, faults, experiment: runId, catalog, spare }, signal),
      halted: () => haltedBecause(catalog.file),
      ...(drill === undefined ? {} : { drill }),
      ...(canary === undefined ? {} : { canary }),
      ...(onPhase === undefined ? {} : { onPhase }),
    },
    signal,
  )
  const { verdict, because, recoveryMs } = result
  const file = join(folders.runs, `${runId}.json`)
  const endedAt = at()
  const recovery = recoveryMs === undefined ? {} : { recoveryMs }
  const write = async (runs: readonly ExperimentRun[]) => {
    const past = runs.filter((run) => run.hash === hash && run.runId !== runId)
    const statistics = statisticsOf([...past, { verdict, ...recovery }])
    const services = concerned(catalog, experiment)
    const record = experimentRecord(experiment, { runId, hash, services, by, startedAt, endedAt, statistics }, result)
    await writeFileDurably(file, `${JSON.stringify({ ...about, ...result, sampling, record })}\n`)
    return statistics
  }
  await mkdir(folders.runs, { recursive: true, mode: 0o700 })
  // Durable before any repository is asked: what came out must not be lost with one that hangs.
  const ofThisMachine = await write(await localRuns(catalog.file, experiment.name))
  await addToHistory(catalog.file, { type: 'ended', runId, at: endedAt, verdict, because: [...because], ...recovery })
  // Also after Ctrl-C: an experiment that was aborted is on record too.
  const recorded = await putOnRecord(catalog, experiment.name, runId, write)
  return { runId, file, sampling, statistics: ofThisMachine, ...recorded, ...result }
}

/** Samples are due at their times also when a fault is that nothing gets a processor. */
async function runOnTime(
  job: ExperimentJob,
  signal: AbortSignal,
): Promise<{ readonly result: ExperimentResult; readonly sampling: FinishedExperiment['sampling'] }> {
  // The work of a plan is done by this process too, and must push nothing aside that is measured.
  if (job.drill !== undefined)
    return {
      result: await runExperiment(job, signal),
      sampling: { realTime: false, because: 'its plan runs in the same process' },
    }
  await using scheduling = await realTime()
  const { because } = scheduling
  const sampling = because === undefined ? { realTime: true } : { realTime: false, because }
  return { result: await runExperiment(job, signal), sampling }
}

/** With what the ledgers know of earlier runs. What goes wrong is left to the next run: the outcome of this one is known, and is to be told. */
async function putOnRecord(
  catalog: Catalog,
  experiment: string,
  runId: string,
  write: (runs: readonly ExperimentRun[]) => Promise<ExperimentStatistics>,
): Promise<Partial<Pick<FinishedExperiment, 'statistics' | 'uncounted' | 'ledger' | 'unrecorded'>>> {
  const counted = await countedRuns(catalog, experiment, write).catch((error: unknown) => ({ uncounted: messageOf(error) }))
  try {
    const recorded = (await recordExperiments(catalog)).get(runId)
    return { ...counted, ...(recorded ?? { unrecorded: 'there was not time for it' }) }
  } catch (error) {
    return { ...counted, unrecorded: messageOf(error) }
  }
}

async function countedRuns(
  catalog: Catalog,
  experiment: string,
  write: (runs: readonly ExperimentRun[]) => Promise<ExperimentStatistics>,
): Promise<Pick<FinishedExperiment, 'statistics' | 'uncounted'>> {
  const { runs, unseen } = await experimentRuns(catalog, experiment, AbortSignal.timeout(historyMs))
  const uncounted = unseen.map(({ repository, because }) => `${repository}: ${because}`).join('; ')
  return { statistics: await write(runs), ...(uncounted === '' ? {} : { uncounted }) }
}
