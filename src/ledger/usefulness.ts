import type { LedgerRecord } from './record.ts'

/** What a record shows, for readers that want the newest one that shows it. Undefined: nothing that anybody looks for in this way. */
export type Usefulness =
  | RecoveryUsefulness
  /** All of a source's data came back, and was compared. */
  | `restored ${string}`
  /** What a check read. */
  | 'data'
  | 'structure'

/** `within-experiment`: the record of that decides. `unchecked`: it came to its end, and nothing was looked at. */
export type RecoveryUsefulness = 'timed' | 'untimed' | 'failed' | 'unchecked' | 'aborted' | 'within-experiment'

export const recoveryUsefulness: readonly RecoveryUsefulness[] = [
  'timed',
  'untimed',
  'failed',
  'unchecked',
  'aborted',
  'within-experiment',
]

export function usefulnessOf(record: LedgerRecord): Usefulness | undefined {
  switch (record.kind) {
    case 'recovery': {
      const { outcome, compared, drill, rtaMs } = record.body
      if (drill?.experiment !== undefined) return 'within-experiment'
      if (outcome === 'failed' || (outcome === 'completed' && compared.checksFailed > 0)) return 'failed'
      if (outcome === 'aborted') return 'aborted'
      if (compared.checks === 0) return 'unchecked'
      return rtaMs === undefined ? 'untimed' : 'timed'
    }
    case 'restore': {
      const { partial, skipped, verifiedFiles, source = '' } = record.body
      // A part that came back, or one with losses, is no proof of the whole.
      return partial !== true && skipped === 0 && verifiedFiles > 0 ? `restored ${source}` : undefined
    }
    case 'check':
      return record.body.depth
    default:
      return undefined
  }
}

/** What a record is about, where others ask for that: a snapshot, or a run. */
export function subjectOf(record: LedgerRecord): string | undefined {
  switch (record.kind) {
    case 'backup':
    case 'restore':
      return record.body.snapshot
    case 'recovery':
    case 'experiment':
      return record.body.runId
    default:
      return undefined
  }
}

/** Snapshots that a recovery brought back: it is about them too. */
export function restoredSnapshots(record: LedgerRecord): ReadonlySet<string> {
  return new Set(record.kind === 'recovery' ? record.body.restored?.map(({ snapshot }) => snapshot) : [])
}
