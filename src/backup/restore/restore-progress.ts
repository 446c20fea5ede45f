import type { RestorePlan } from './plan.ts'

export interface RestoreProgress {
  readonly type: 'restore'
  readonly filesDone: number
  readonly filesTotal: number
  readonly bytesDone: number
  readonly bytesTotal: number
  /** Milliseconds left, from the mean rate so far. */
  readonly etaMs?: number
}

/** Turns what is done into events, few enough to show. */
export function restoreReporter(plan: RestorePlan, progress: (event: RestoreProgress) => void) {
  const startMs = performance.now()
  let [filesDone, bytesDone, lastMs] = [0, 0, -Infinity]
  const report = () => {
    lastMs = performance.now()
    const etaMs = bytesDone > 0 ? ((plan.sizeBytes - bytesDone) * (lastMs - startMs)) / bytesDone : undefined
    const totals = { filesTotal: plan.files.length, bytesTotal: plan.sizeBytes }
    progress({ type: 'restore', filesDone, bytesDone, ...totals, ...(etaMs !== undefined && { etaMs }) })
  }
  const maybe = () => {
    if (performance.now() - lastMs >= 250) report()
  }
  return {
    file() {
      filesDone++
      maybe()
    },
    bytes(bytes: number) {
      bytesDone += bytes
      maybe()
    },
    end: report,
  }
}
