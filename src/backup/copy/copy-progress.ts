/** How far a copy is. First the trees of the snapshots are looked at, then what is missing is moved. */
export interface CopyProgress {
  readonly type: 'copy'
  readonly phase: 'plan' | 'move'
  readonly snapshotsDone: number
  readonly snapshotsTotal: number
  /** As stored; once they are known. */
  readonly bytesDone?: number
  readonly bytesTotal?: number
  /** Milliseconds left, from the mean rate so far. */
  readonly etaMs?: number
}

const everyMs = 250

/** Turns what is done into events, few enough to show. */
export function copyReporter(snapshotsTotal: number, progress: (event: CopyProgress) => void) {
  let [snapshotsDone, bytesDone, bytesTotal, startMs, lastMs] = [0, 0, 0, 0, -Infinity]
  const report = () => {
    lastMs = performance.now()
    const etaMs = bytesDone > 0 ? ((bytesTotal - bytesDone) * (lastMs - startMs)) / bytesDone : undefined
    const figures = { snapshotsDone, snapshotsTotal, bytesDone, bytesTotal }
    progress({ type: 'copy', phase: 'move', ...figures, ...(etaMs !== undefined && { etaMs }) })
  }
  const isDue = () => performance.now() - lastMs >= everyMs
  return {
    planned: (snapshotsDone: number) => {
      if (!isDue()) return
      lastMs = performance.now()
      progress({ type: 'copy', phase: 'plan', snapshotsDone, snapshotsTotal })
    },
    begin: (total: number) => {
      bytesTotal = total
      startMs = performance.now()
    },
    bytes: (bytes: number) => {
      bytesDone += bytes
      if (isDue()) report()
    },
    snapshot: () => {
      snapshotsDone++
      if (isDue()) report()
    },
    end: report,
  }
}
