import type { RecoveryFact } from '../objectives/index.ts'
import type { EvidenceBody, EvidenceRecord } from '../ledger/index.ts'

/** What became of experiments, by their run ids. */
export type ExperimentsByRun = ReadonlyMap<string, EvidenceBody<'experiment'>>

export function experimentsByRun(records: readonly EvidenceRecord<'experiment'>[]): ExperimentsByRun {
  return new Map(records.map(({ body }) => [body.runId, body]))
}

type Shown = Pick<RecoveryFact, 'outcome' | 'rtaMs' | 'checks' | 'checksFailed'> & Pick<EvidenceBody<'recovery'>, 'verdict'>

/**
 * What a run of a plan shows. One that was part of an experiment shows it only together with that: its plan may have come to its end, and
 * those who looked from outside have not seen the service again. Without a verdict of the experiment it says nothing; its time is the longer
 * of both.
 */
export function recoveryShown(body: EvidenceBody<'recovery'>, experiments: ExperimentsByRun): Shown {
  const { outcome, rtaMs, compared, declared, drill, verdict } = body
  const { checks, checksFailed } = compared
  const byItself = { outcome, ...(rtaMs === undefined ? {} : { rtaMs }), checks, checksFailed, verdict }
  if (drill?.experiment === undefined || outcome !== 'completed') return byItself
  const experiment = experiments.get(drill.experiment)
  if (experiment?.verdict === 'fail')
    return { ...byItself, checks: checks + 1, checksFailed: checksFailed + 1, verdict: 'missed' }
  const { recoveryMs } = experiment ?? {}
  if (experiment?.verdict !== 'pass' || rtaMs === undefined || recoveryMs === undefined)
    return { outcome: 'aborted', checks, checksFailed, verdict: 'unknown' }
  const longer = Math.max(rtaMs, recoveryMs)
  return { ...byItself, rtaMs: longer, verdict: declared.rtoMs !== undefined && longer > declared.rtoMs ? 'missed' : verdict }
}
