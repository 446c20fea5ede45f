/** Where a fact stands: record `seq` of the ledger in that repository. */
export interface LedgerRef {
  readonly repository: string
  readonly seq: number
}

/** A state of the data that is in a repository now. */
export interface SnapshotFact {
  readonly repository: string
  readonly snapshot: string
  /** Ids that it had in this repository before it was given other tags: what was restored by them was this. */
  readonly formerIds?: readonly string[]
  /** Of the state, which a copy from another repository keeps. */
  readonly time: Date
  /** The record that it is known to be in this repository since, and that one's time; undefined when nobody recorded it. */
  readonly arrived?: { readonly time: Date; readonly seq: number }
  readonly sizeBytes?: number
  /** Entries it lacks; undefined when nobody recorded it. */
  readonly skipped?: number
  /** A check of the repository found damage, and none as thorough since then found it gone. */
  readonly damaged?: boolean
  readonly record?: LedgerRef
}

/** How far a WAL archive carries a recovery beyond a snapshot. */
export interface WalFact {
  readonly repository: string
  /** Everything committed before this moment can be replayed, without a gap, from `from`. */
  readonly coveredUntil: Date
  /** The snapshot that replay begins at. */
  readonly from: string
  /** WAL is missing there, in PostgreSQL's form; without `to`, nothing follows on that timeline. */
  readonly gap?: { readonly from: string; readonly to?: string }
  readonly record?: LedgerRef
}

/** One thing that holds data: a database, a set of folders. */
export interface DataEvidence {
  /** The service that holds it: not the judged one when that holds none itself. */
  readonly service: string
  readonly kind: 'postgres' | 'files'
  /** The catalog says that WAL is archived: then snapshots alone are not what was promised, and else `wal` is not looked at. */
  readonly walDeclared: boolean
  readonly snapshots: readonly SnapshotFact[]
  readonly wal: readonly WalFact[]
  /** Verified restores of this data. */
  readonly restores: readonly RestoreFact[]
  /** Runs that brought this data back. */
  readonly recoveries: readonly RecoveryFact[]
}

/** A snapshot that became files again, and was compared. */
export interface RestoreFact {
  readonly time: Date
  readonly snapshot: string
  readonly sizeBytes: number
  readonly durationMs: number
  readonly verifiedFiles: number
  readonly record?: LedgerRef
}

/** What kind of drill a run was, and how many of the plan's steps it left out or did otherwise: its time says nothing of those. */
export interface DrillFact {
  readonly mode: 'sandbox' | 'live'
  readonly unproven: number
}

/** A plan that ran, for real or as a drill. */
export interface RecoveryFact {
  readonly time: Date
  readonly planHash: string
  readonly outcome: 'completed' | 'failed' | 'aborted'
  readonly rtaMs?: number
  /** Absent: a recovery. */
  readonly drill?: DrillFact
  readonly checks: number
  readonly checksFailed: number
  /** Snapshots that it brought back whole. */
  readonly restored?: readonly RestoredSnapshot[]
  readonly record?: LedgerRef
}

export interface RestoredSnapshot extends Pick<DataEvidence, 'service'> {
  readonly source: DataEvidence['kind']
  readonly repository: string
  readonly snapshot: string
}

/** All that is known of one service. Fewer facts never make a better verdict. */
export interface ServiceEvidence {
  /** Empty for a service that holds no data and depends on none that does. */
  readonly data: readonly DataEvidence[]
  /** Of the plan that recovers it; undefined when it has none. */
  readonly planHash?: string
  /** Runs that brought the service back. */
  readonly recoveries: readonly RecoveryFact[]
  /** Places that could not be looked into: what they hold is not counted. */
  readonly unseen: readonly { readonly repository: string; readonly because: string }[]
}
