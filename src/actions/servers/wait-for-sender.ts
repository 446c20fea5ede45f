import { describeLag, replicationLag, replicationState } from '../../postgres/index.ts'
import type { ActionContext } from '../contract.ts'
import { leaderPosition, lookAgain, type SeenServer } from './survey.ts'

/** For a standby to receive what a fenced primary still sends. */
const catchUpMs = 10_000
/** A primary that nobody here reaches may still send to the standby; one that has stopped in the middle for so long does not. */
const silenceMs = 2000
const pollMs = 100

/**
 * What a fenced primary that is alive has not sent yet is worth a little time: until the standby has all of it, or nothing more comes. Only
 * those that were seen are asked how far they came; where nobody was, what the standby's receiver knows is all there is to go by.
 */
export async function waitForSender(
  url: string,
  seen: readonly SeenServer[],
  context: Pick<ActionContext, 'clock' | 'progress' | 'step'>,
  signal: AbortSignal,
): Promise<void> {
  const deadlineMs = context.clock.monotonicMs() + catchUpMs
  for (let others = seen; ; others = await lookAgain(others, signal)) {
    const standby = await replicationState(url, signal)
    const lag = replicationLag(standby, await leaderPosition(others, standby, signal))
    if (standby.receiver?.status !== 'streaming' || !lag.known || lag.basis === 'heartbeat' || lag.bytes === 0) return
    if (lag.basis === 'wal-receiver' && lag.ageMs > silenceMs) return
    if (context.clock.monotonicMs() > deadlineMs) return
    context.progress({ step: context.step, text: `waiting for ${describeLag(lag)}` })
    await context.clock.sleep(pollMs, signal)
  }
}
