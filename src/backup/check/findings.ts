/** What a damage does to the snapshots: which ones miss something, and some of the paths. */
export interface Affected {
  /** Ids of snapshots, all of them. */
  readonly snapshots: readonly string[]
  /** Some of the paths that cannot be restored whole. */
  readonly paths: readonly string[]
}

/**
 * Something that a check found. `error` means that data is lost or cannot be trusted; `note` is worth knowing and harms nothing.
 * Ids are whole; paths are those within a snapshot.
 */
export type CheckFinding =
  | { readonly severity: 'error'; readonly code: 'nothing-checked'; readonly what: 'snapshots' }
  | { readonly severity: 'error'; readonly code: 'index-unreadable'; readonly index: string; readonly reason: string }
  | { readonly severity: 'error'; readonly code: 'index-contradicts'; readonly index: string; readonly pack: string }
  | { readonly severity: 'error'; readonly code: 'snapshot-unreadable'; readonly snapshot: string; readonly reason: string }
  | { readonly severity: 'error'; readonly code: 'snapshot-in-future'; readonly snapshot: string; readonly time: string }
  | ({ readonly severity: 'error'; readonly code: 'pack-missing'; readonly pack: string } & Affected)
  | ({
      readonly severity: 'error'
      readonly code: 'pack-size'
      readonly pack: string
      readonly sizeBytes: number
      readonly expectedBytes: number
    } & Affected)
  | ({
      readonly severity: 'error'
      readonly code: 'pack-damaged'
      readonly pack: string
      readonly reasons: readonly string[]
      /** Blobs that cannot be had from it. */
      readonly blobs: readonly string[]
    } & Affected)
  | ({
      readonly severity: 'error'
      readonly code: 'blob-missing'
      readonly type: 'data' | 'tree'
      readonly blob: string
    } & Affected)
  | { readonly severity: 'error'; readonly code: 'tree-malformed'; readonly tree: string; readonly reason: string }
  | { readonly severity: 'error'; readonly code: 'area-object-damaged'; readonly object: string; readonly reason: string }
  | { readonly severity: 'note'; readonly code: 'pack-unreferenced'; readonly pack: string; readonly sizeBytes: number }
  /** A temporary file of a writer that was killed. */
  | { readonly severity: 'note'; readonly code: 'leftover'; readonly file: string; readonly sizeBytes: number }
  | { readonly severity: 'note'; readonly code: 'pack-mixed'; readonly pack: string }
  | { readonly severity: 'note'; readonly code: 'read-unstable'; readonly pack: string; readonly reasons: readonly string[] }

export type CheckFindingCode = CheckFinding['code']

/** How far a check is. */
export interface CheckProgress {
  readonly type: 'check'
  readonly phase: 'indexes' | 'snapshots' | 'packs' | 'areas' | 'affected'
  readonly done: number
  readonly total: number
  /** While packs are read. */
  readonly bytesDone?: number
  readonly bytesTotal?: number
  /** Milliseconds left, from the mean rate so far. */
  readonly etaMs?: number
}

export interface CheckReport {
  /** `structure`: names, sizes and references. `data`: every byte too. */
  readonly depth: 'structure' | 'data'
  /** False when there is any finding that is an error. */
  readonly ok: boolean
  readonly findings: readonly CheckFinding[]
  /** What was looked at. */
  readonly snapshots: number
  readonly trees: number
  readonly indexes: number
  readonly packs: number
  readonly blobs: number
  /** Objects under `holdfast/`: WAL, ledger, catalogs. Looked at only with depth `data`. */
  readonly areaObjects: number
  /** Bytes of packs and of objects under `holdfast/` that were read and verified. */
  readonly readBytes: number
  readonly durationMs: number
}
