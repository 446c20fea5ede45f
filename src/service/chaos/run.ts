import { resolveSecret, type Catalog } from '../../catalog/index.ts'
import {
  injectionsOf,
  openGuard,
  runExperiment,
  type ExperimentJob,
  type ExperimentPhase,
  type ExperimentResult,
} from '../../chaos/index.ts'
import { faults } from '../../faults/index.ts'
import { HoldfastError, ownIdentity, realTime, systemClock, userName } from '../../kernel/index.ts'
import { newRunId } from '../recovery/prepare.ts'
import { experimentCanary } from './canary.ts'
import { concerned, exclusionsOf } from './concerns.ts'
import { concludeRun, type KeptRun } from './conclude.ts'
import { experimentDrill } from './drill.ts'
import { experimentRecord } from './experiment-record.ts'
import { chaosFolders } from './folders.ts'
import { haltedBecause } from './halt.ts'
import { addToHistory } from './history.ts'
import type { PreparedExperiment } from './prepare.ts'

export interface FinishedExperiment extends ExperimentResult, KeptRun {
  readonly runId: string
  /** Whether samples were taken with real-time priority, and why not. */
  readonly sampling: { readonly realTime: boolean; readonly because?: string }
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
  const ahead = injectionsOf(experiment).flatMap(({ entry }) => bound[entry] ?? [])
  const spare = exclusionsOf(catalog, experiment).labels
  await addToHistory(catalog.file, { type: 'began', ...about, at: startedAt, process: await ownIdentity() })
  const { sampling, result } = await runOnTime(
    {
      experiment,
      faults: bound,
      clock: systemClock,
      resolveSecret,
      openGuard: (signal) => openGuard({ directory: folders.faults, faults, ahead, experiment: runId, catalog, spare }, signal),
      halted: () => haltedBecause(catalog.file),
      ...(drill === undefined ? {} : { drill }),
      ...(canary === undefined ? {} : { canary }),
      ...(onPhase === undefined ? {} : { onPhase }),
    },
    signal,
  )
  const endedAt = at()
  const { verdict, because, recoveryMs } = result
  const kept = await concludeRun(catalog, {
    ...about,
    endedAt,
    verdict,
    because,
    ...(recoveryMs === undefined ? {} : { recoveryMs }),
    kept: { ...about, ...result, sampling },
    recordWith: (statistics) =>
      experimentRecord(
        experiment,
        { runId, hash, services: concerned(catalog, experiment), by, startedAt, endedAt, statistics },
        result,
      ),
  })
  return { runId, sampling, ...kept, ...result }
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
