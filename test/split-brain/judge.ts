import { expect } from 'vitest'
import type { Failover } from './failover.ts'
import type { World } from './world.ts'

/** The clocks of one machine, rounded to milliseconds in the journal. */
const roundingMs = 2

/** What must be true of every failover, whatever happened: see each. */
export async function judge(world: World, { outcome, events }: Failover): Promise<void> {
  const [old, young] = [await world.primary.acknowledged(), await world.west.acknowledged()]
  const done = (step: string) => outcome.steps.find(({ id }) => id === step)?.state === 'done'

  // Every run ends in a stated outcome, with a reason when it is no success.
  expect(['succeeded', 'preflight-failed', 'rolled-back', 'undo-failed', 'stopped']).toContain(outcome.status)
  expect(outcome.failure === undefined).toBe(outcome.status === 'succeeded')

  // From the confirmation of the fence to its undo nothing is acknowledged by the old primary.
  const fence = outcome.steps.find(({ id }) => id === 'fence')
  if (fence?.endedAt !== undefined && (fence.state === 'done' || fence.state === 'undone')) {
    const fencedAt = Date.parse(fence.endedAt)
    const openedAt = events.find((event) => event.type === 'step-started' && event.step === 'fence:undo')?.at
    const openedAtMs = openedAt === undefined ? Infinity : Date.parse(openedAt)
    expect(old.filter(({ atMs }) => atMs > fencedAt + roundingMs && atMs < openedAtMs)).toEqual([])
  }

  // Never do both take writes: what the new one acknowledged is later than all that the old one did.
  const lastOld = Math.max(...old.map(({ atMs }) => atMs))
  if (young.length > 0) expect(Math.min(...young.map(({ atMs }) => atMs))).toBeGreaterThan(lastOld)
  if (young.length > 0)
    expect(done('promote') || outcome.steps.some(({ id, state }) => id === 'promote' && state === 'unknown')).toBe(true)

  // Nothing acknowledged is lost beyond what was shown.
  if (done('promote')) {
    const kept = new Set((await world.west.sql('select id from rows', 'shop')).map(({ id }) => id))
    const lost = old.filter(({ id }) => !kept.has(id))
    // And never from the middle.
    const lastKept = Math.max(...old.filter(({ id }) => kept.has(id)).map(({ atMs }) => atMs))
    expect(lost.filter(({ atMs }) => atMs < lastKept)).toEqual([])
    const shown = outcome.steps.find(({ id }) => id === 'promote')?.output as { lag?: Lag; mayBeLost?: string } | null
    if (shown?.lag?.completeUntil !== undefined) {
      const until = Date.parse(shown.lag.completeUntil)
      expect(lost.filter(({ atMs }) => atMs < until - roundingMs)).toEqual([])
    } else if (shown?.mayBeLost === 'nothing') expect(lost).toEqual([])
  }
  if (outcome.status === 'succeeded') expect(young.length).toBeGreaterThan(0)
}

interface Lag {
  readonly completeUntil?: string
}
