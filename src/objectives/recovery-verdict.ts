/** What a finished recovery or drill achieved. Durations in ms. */
export interface FinishedRecovery {
  readonly outcome: 'completed' | 'failed' | 'aborted'
  readonly declared: { readonly rpoMs?: number | undefined; readonly rtoMs?: number | undefined }
  /** Onset − newest recovered, consistent record; undefined when nobody could tell. */
  readonly rpaMs?: number | undefined
  /** Verified − onset. */
  readonly rtaMs?: number | undefined
  /** How many things were compared with what they should be, and how many were not. */
  readonly checks: number
  readonly checksFailed: number
}

export type RecoveryReason =
  | 'within-objective'
  | 'above-objective'
  | 'not-declared'
  | 'not-measured'
  | 'nothing-was-checked'
  | 'checks-failed'
  | 'failed'
  | 'aborted'

export interface RecoveryObjective {
  readonly declaredMs?: number
  readonly actualMs?: number
  readonly verdict: 'met' | 'missed' | 'unknown'
  readonly because: RecoveryReason
}

export interface RecoveryVerdict {
  readonly rpo: RecoveryObjective
  readonly rto: RecoveryObjective
  /** Missed when either is; met when all that is declared is, and something is. */
  readonly verdict: 'met' | 'missed' | 'unknown'
}

/** Holds a finished recovery against its objectives. One that looked at nothing is unknown, however fast it was. */
export function recoveryVerdict(recovery: FinishedRecovery): RecoveryVerdict {
  const rpo = judge(recovery, recovery.declared.rpoMs, recovery.rpaMs)
  const rto = judge(recovery, recovery.declared.rtoMs, recovery.rtaMs)
  const declared = [rpo, rto].filter(({ declaredMs }) => declaredMs !== undefined)
  const all = (wanted: 'met') => declared.length > 0 && declared.every(({ verdict }) => verdict === wanted)
  const verdict = declared.some((objective) => objective.verdict === 'missed') ? 'missed' : all('met') ? 'met' : 'unknown'
  return { rpo, rto, verdict }
}

function judge(recovery: FinishedRecovery, declaredMs: number | undefined, actualMs: number | undefined): RecoveryObjective {
  const figures = {
    ...(declaredMs === undefined ? {} : { declaredMs }),
    ...(actualMs === undefined ? {} : { actualMs }),
  }
  if (declaredMs === undefined) return { ...figures, verdict: 'unknown', because: 'not-declared' }
  if (recovery.outcome === 'failed') return { ...figures, verdict: 'missed', because: 'failed' }
  if (recovery.outcome === 'aborted') return { ...figures, verdict: 'unknown', because: 'aborted' }
  if (recovery.checksFailed > 0) return { ...figures, verdict: 'missed', because: 'checks-failed' }
  if (!(recovery.checks > 0)) return { ...figures, verdict: 'unknown', because: 'nothing-was-checked' }
  if (actualMs === undefined) return { ...figures, verdict: 'unknown', because: 'not-measured' }
  return actualMs <= declaredMs
    ? { ...figures, verdict: 'met', because: 'within-objective' }
    : { ...figures, verdict: 'missed', because: 'above-objective' }
}
