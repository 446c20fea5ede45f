import { HoldfastError, messageOf, type Clock } from '../../kernel/index.ts'
import { accountFor, type CanaryEvidence, type WrittenRow } from './account.ts'

/**
 * Where a canary writes its rows.
 *
 * prepare  makes what is needed. Throws when that is not possible: nothing is broken then.
 * write    resolves once the row is acknowledged as durable. Ends by itself, and may be called again after it failed.
 * read     the numbers of the rows that are there.
 * clean    removes this run's rows.
 */
export interface CanaryTarget extends AsyncDisposable {
  readonly everyMs: number
  prepare(signal: AbortSignal): Promise<void>
  write(seq: number): Promise<void>
  read(signal: AbortSignal): Promise<readonly number[]>
  clean(signal: AbortSignal): Promise<void>
}

export interface RunningCanary {
  /**
   * Ends the writing, reads back what is there, and cleans up. Never throws: what is not known is evidence too.
   *
   * @param brokenAtMs when the first fault was injected, of the monotonic clock; absent: none was
   */
  settle(brokenAtMs?: number): Promise<CanaryEvidence>
}

/** How long what was written may take to be readable, and to be removed. */
const settleMs = 60_000
const retryMs = 500
/** A canary that has been quiet for longer, and for that many rows, was not writing any more. */
const quietMs = 5000
const quietRows = 10

/** Writes numbered rows, one after the other, on a cadence of the monotonic clock, until it is settled. */
export async function startCanary(target: CanaryTarget, clock: Clock, signal: AbortSignal): Promise<RunningCanary> {
  await target.prepare(signal)
  const beganMs = clock.monotonicMs()
  const rows: WrittenRow[] = []
  const stop = new AbortController()
  const writing = write(target, clock, rows, stop.signal)
  return {
    async settle(brokenAtMs) {
      stop.abort()
      await writing
      await using _target = target
      const limit = AbortSignal.timeout(settleMs)
      try {
        const there = await patiently(() => target.read(limit), clock, limit)
        const withinMs = Math.max(quietMs, quietRows * target.everyMs)
        const broken = brokenAtMs === undefined ? undefined : { atMs: brokenAtMs, withinMs }
        return accountFor(rows, new Set(there), beganMs, broken)
      } catch (error) {
        const acknowledged = rows.filter(({ ackedMs }) => ackedMs !== undefined).length
        const unknown = `what is there cannot be read: ${messageOf(error)}`
        return { written: rows.length, acknowledged, surviving: 0, lost: 0, unknown }
      } finally {
        // Rows that stay behind do no harm: they carry the run's name.
        await target.clean(limit).catch(() => {})
      }
    },
  }
}

async function write(target: CanaryTarget, clock: Clock, rows: WrittenRow[], stop: AbortSignal): Promise<void> {
  for (let seq = 1; !stop.aborted; seq++) {
    const sentMs = clock.monotonicMs()
    try {
      await target.write(seq)
      rows.push({ seq, sentMs, ackedMs: clock.monotonicMs() })
    } catch {
      rows.push({ seq, sentMs })
    }
    await clock.sleep(Math.max(0, sentMs + target.everyMs - clock.monotonicMs()), stop).catch(() => {})
  }
}

/** What was just brought back may not answer at once. */
async function patiently<T>(ask: () => Promise<T>, clock: Clock, limit: AbortSignal): Promise<T> {
  for (;;) {
    try {
      return await ask()
    } catch (error) {
      if (limit.aborted) throw new HoldfastError('timed-out', { message: messageOf(error), cause: error })
      await clock.sleep(retryMs, limit).catch(() => {})
    }
  }
}
