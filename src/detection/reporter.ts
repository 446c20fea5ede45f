import { HoldfastError } from '../kernel/index.ts'
import type { ObserverReport } from './report.ts'

/**
 * Where an observer's reports go.
 *
 * newestEpoch  the largest epoch that is known there of this observer; 0 when there is none.
 * publish      there for whoever decides when it returns. `run-busy` when a later epoch reports under the same name.
 *
 * Errors may pass: the observer goes on, and publishes its next report.
 */
export interface Reporter {
  newestEpoch(signal: AbortSignal): Promise<number>
  publish(report: ObserverReport, signal: AbortSignal): Promise<void>
}

export function supersededError(observer: string, epoch: number): HoldfastError {
  return new HoldfastError('run-busy', {
    message: `another process reports as observer ${observer}, and began later (epoch ${epoch})`,
    hint: 'stop one of the two: each observer is one process',
    details: { observer, epoch },
  })
}
