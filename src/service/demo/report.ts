import type { FileComparison } from './receipts.ts'
import type { RowComparison } from './compare-rows.ts'

export interface DemoObjective {
  readonly service: string
  readonly objective: 'rpo' | 'rto'
  readonly declaredMs: number
  /** Undefined when nothing came back. */
  readonly actualMs?: number
  readonly verdict: 'met' | 'missed' | 'unknown'
}

/** How one demo ended. Durations in seconds where the name says so, else ms. The members up to `ledgerHead` are stable. */
export interface DemoReport {
  readonly verdict: 'met' | 'missed' | 'unknown'
  /** The moment the server was gone − the acknowledgement of the newest row that came back; null when none did. */
  readonly rpoSeconds: number | null
  /** Onset → every row and file compared. */
  readonly rtoSeconds: number
  readonly rowsAcknowledged: number
  readonly rowsLost: number
  readonly filesLost: number
  readonly repository: string
  readonly passwordFile: string
  readonly ledgerHead: string

  /** What was declared, achieved and judged: the database's RPO and RTO, and the files' RPO, which is the age of their snapshot. */
  readonly objectives: readonly DemoObjective[]
  readonly rows: RowComparison
  readonly files: FileComparison
  /** Where the time between the onset and the end went, in ms. */
  readonly phases: {
    readonly detectMs: number
    readonly prepareMs: number
    readonly restoreMs: number
    readonly replayMs: number
    readonly verifyMs: number
    /** The receiver storing what it still had, and the outcome going on record. */
    readonly otherMs: number
  }
  readonly postgres: string
  readonly synchronous: boolean
  readonly runId: string
  readonly catalog: string
  /** The folder of everything that is left. */
  readonly directory: string
  /** True when the recovered data directory and files are still there (--keep). */
  readonly kept: boolean
}
