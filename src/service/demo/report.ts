import type { FileComparison } from './receipts.ts'
import type { RowComparison } from './compare-rows.ts'

/** How one demo ended. Durations in seconds where the name says so, else ms. The members up to `ledgerHead` are stable. */
export interface DemoReport {
  readonly verdict: 'met' | 'missed' | 'unknown'
  /** Onset − the acknowledgement of the newest row that came back. */
  readonly rpoSeconds: number
  /** Onset → every row and file compared. */
  readonly rtoSeconds: number
  readonly rowsAcknowledged: number
  readonly rowsLost: number
  readonly filesLost: number
  readonly repository: string
  readonly passwordFile: string
  readonly ledgerHead: string

  readonly objectives: { readonly rpoSeconds: number; readonly rtoSeconds: number }
  readonly rows: RowComparison
  readonly files: FileComparison
  /** Where the time between the onset and the end went, in ms. */
  readonly phases: {
    readonly detectMs: number
    readonly prepareMs: number
    readonly restoreMs: number
    readonly replayMs: number
    readonly verifyMs: number
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
