import type { Experiment } from '../../catalog/index.ts'
import { judgePhase, type ExperimentEvidence, type ExperimentResult, type PhaseEvidence } from '../../chaos/index.ts'
import type { EvidenceBody } from '../../ledger/index.ts'
import type { ExperimentStatistics } from './history.ts'

export interface RunOfExperiment {
  readonly runId: string
  readonly hash: string
  /** That it is about. */
  readonly services: readonly string[]
  readonly by: string
  readonly startedAt: string
  readonly endedAt: string
  /** Of all runs of this hash so far, with this one. */
  readonly statistics: ExperimentStatistics
}

/** What the ledger keeps of every run, whatever kind of experiment it was of. */
export function aboutRun({ statistics: { passRate }, services, ...run }: RunOfExperiment) {
  const { runs, passed, lower, upper } = passRate
  return { ...run, services: [...services], basis: { runs, passed, lower, upper } }
}

/** What the ledger keeps of a run of an experiment. */
export function experimentRecord(
  experiment: Experiment,
  run: RunOfExperiment,
  { verdict, because, recoveryMs, evidence }: ExperimentResult,
): EvidenceBody<'experiment'> {
  const { name, environment, recoversWithinMs } = experiment
  return {
    ...aboutRun(run),
    experiment: name,
    environment,
    verdict,
    because: [...because],
    ...(recoveryMs === undefined ? {} : { recoveryMs }),
    ...(recoversWithinMs === undefined ? {} : { recoversWithinMs }),
    samples: samplesOf(experiment, evidence),
    faults: evidence.faults.map(({ name: fault, targets, state, undo, presentAfterMs, goneAfterMs, lost }) => ({
      name: fault,
      targets: [...targets],
      state,
      undo,
      ...(presentAfterMs === undefined ? {} : { presentAfterMs }),
      ...(goneAfterMs === undefined ? {} : { goneAfterMs }),
      ...(lost === undefined ? {} : { lost }),
    })),
    ...(evidence.drill === undefined ? {} : { drill: { ...evidence.drill } }),
    ...(evidence.canary === undefined ? {} : { canary: { ...evidence.canary } }),
  }
}

function samplesOf({ hypothesis: { probes } }: Experiment, { before, during, after }: ExperimentEvidence) {
  const counts = (phase: PhaseEvidence) => {
    const { slots, seen, steady } = judgePhase(probes, phase)
    return { slots, seen, steady }
  }
  return {
    ...(before === undefined ? {} : { before: counts(before) }),
    ...(during === undefined ? {} : { during: counts(during) }),
    ...(after === undefined ? {} : { after: counts(after) }),
  }
}
