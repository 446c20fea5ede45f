/** How far a prune is. `blobs` moves what is used out of packs that are mostly not; nothing is deleted before `indexes`. */
export interface PruneProgress {
  readonly type: 'prune'
  readonly phase: 'snapshots' | 'blobs' | 'indexes' | 'packs'
  readonly done: number
  readonly total: number
  /** While blobs are moved: as stored. */
  readonly bytesDone?: number
  readonly bytesTotal?: number
  /** Milliseconds left, from the mean rate so far. */
  readonly etaMs?: number
}

export interface Amount {
  readonly count: number
  readonly bytes: number
}

/** What a prune found and did, or would do. Bytes are as stored; those of packs with their headers. */
export interface PruneReport {
  readonly dryRun: boolean
  readonly snapshots: number
  /** Blobs that some snapshot needs, each counted once. */
  readonly used: Amount
  /** Blobs that none needs, and further places of those that are needed. */
  readonly unused: Amount
  /** Packs that stay as they are. */
  readonly keptPacks: Amount
  /** Packs that nothing in them is needed of. */
  readonly removedPacks: Amount
  /** Packs whose used blobs are moved to new ones. */
  readonly repackedPacks: Amount
  /** The blobs moved. */
  readonly moved: Amount
  /** Packs that no index names: residue of interrupted work. */
  readonly unindexedPacks: Amount
  /** Temporary files of writers that were killed. */
  readonly leftovers: Amount
  /** Ids of packs that an index named, that are missing or cut short, and that nothing is needed of: their index is put right. */
  readonly lostPacks: readonly string[]
  /** Bytes that are free now, or would be; less what was written. */
  readonly freedBytes: number
  /** What stays unused. */
  readonly unusedAfterBytes: number
  readonly indexesWritten: number
  readonly indexesRemoved: number
  /** Index files that could not be read. What they named was looked up in the packs; they were replaced unless `undecidedPacks` tells of any. */
  readonly unreadableIndexes: readonly { readonly id: string; readonly reason: string }[]
  /** Packs that an unreadable index may name and whose own headers cannot be read. They stay, and so do those indexes. */
  readonly undecidedPacks: readonly string[]
  readonly durationMs: number
}

/** Told at most every 200 ms; the beginning and the end of a phase always. */
export function throttledProgress(progress: (event: PruneProgress) => void): (event: PruneProgress) => void {
  let last = { phase: '', atMs: 0 }
  return (event) => {
    const nowMs = performance.now()
    if (event.phase === last.phase && event.done < event.total && nowMs - last.atMs < 200) return
    last = { phase: event.phase, atMs: nowMs }
    progress(event)
  }
}
