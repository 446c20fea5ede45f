import { isHoldfastError, messageOf, type Clock } from '../kernel/index.ts'
import type { ObserverReport } from './report.ts'
import type { Reporter } from './reporter.ts'

export type PublishEvent =
  | { readonly type: 'reporting'; readonly epoch: number; readonly lostMs?: number }
  | { readonly type: 'report-lost'; readonly message: string; readonly forMs: number }

export interface PublisherParts {
  readonly reporter: Reporter
  readonly epoch: number
  readonly clock: Clock
  readonly compose: (epoch: number, seq: number) => ObserverReport
  readonly onEvent: (event: PublishEvent) => void
}

export interface Publisher extends AsyncDisposable {
  /** There is something new to report. Never waits: what is on its way arrives first, then the newest, and nothing in between. */
  offer(): void
  /** One report, which must get through. */
  publishNow(): Promise<void>
  /** Rejects with `run-busy` when another process has taken over the observer's name. */
  readonly superseded: Promise<never>
}

/** Storage that hangs cannot be hurried; it is said. */
const lateMs = 10_000

/** Sends the newest report, one at a time. What fails is said once, and again when it is over. */
export function createPublisher({ reporter, clock, compose, onEvent, ...parts }: PublisherParts, signal: AbortSignal): Publisher {
  let epoch: number | undefined
  let seq = 0
  let wanted = false
  let sending: Promise<void> | undefined
  let lostSinceMs: number | undefined
  let told = false
  const superseded = Promise.withResolvers<never>()
  superseded.promise.catch(() => {})

  const publishNow = async () => {
    if (epoch === undefined) {
      // A machine that has lost its memory begins behind what it reported before.
      epoch = Math.max(parts.epoch, (await reporter.newestEpoch(signal)) + 1)
    }
    await reporter.publish(compose(epoch, ++seq), signal)
    if (told && lostSinceMs !== undefined) onEvent({ type: 'reporting', epoch, lostMs: clock.monotonicMs() - lostSinceMs })
    else if (!told && seq === 1) onEvent({ type: 'reporting', epoch })
    told = false
    lostSinceMs = undefined
  }
  const lost = (message: string, sinceMs: number) => {
    lostSinceMs ??= sinceMs
    if (told) return
    told = true
    onEvent({ type: 'report-lost', message, forMs: clock.monotonicMs() - lostSinceMs })
  }
  const send = async () => {
    while (wanted && !signal.aborted) {
      wanted = false
      const beganMs = clock.monotonicMs()
      const late = setTimeout(() => lost('the last report has not arrived yet', beganMs), lateMs)
      try {
        await publishNow()
      } catch (error) {
        if (signal.aborted) break
        if (isHoldfastError(error, 'run-busy')) superseded.reject(error)
        else lost(messageOf(error), beganMs)
      } finally {
        clearTimeout(late)
      }
    }
    sending = undefined
  }

  return {
    offer() {
      wanted = true
      sending ??= send()
    },
    publishNow,
    superseded: superseded.promise,
    async [Symbol.asyncDispose]() {
      // Storage that hangs must not keep the process.
      await Promise.race([sending, new Promise((resolve) => setTimeout(resolve, 1000))])
    },
  }
}
