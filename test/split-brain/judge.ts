import { expect } from 'vitest'
import { until } from '../support/until.ts'
import type { Failover } from './failover.ts'
import type { World } from './world.ts'

/** The clocks of one machine, rounded to milliseconds in the journal. */
const roundingMs = 2

export function isDone({ outcome }: Failover, step: string): boolean {
  return outcome.steps.find(({ id }) => id === step)?.state === 'done'
}

/** What must be true of every failover, whatever happened: see each. */
export async function judge(world: World, failover: Failover): Promise<void> {
  const { outcome, events } = failover
  const done = (step: string) => isDone(failover, step)
  // Whoever goes through HAProxy, or by the name, gets there where these were changed.
  for (const [step, client] of [
    ['route', 'proxy'],
    ['name', 'name'],
  ] as const) {
    if (done(step)) await writesTo(world, 'west', client)
  }
  const [old, young] = [await world.acknowledged('primary'), await world.acknowledged('west')]

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
    // And never from the middle: what had been acknowledged before one that is kept was begun. Of two that overlap, either may have been committed first.
    const lastKept = Math.max(...old.filter(({ id }) => kept.has(id)).map(({ atMs }) => atMs))
    expect(lost.filter(({ toldMs }) => toldMs < lastKept - roundingMs)).toEqual([])
    const shown = outcome.steps.find(({ id }) => id === 'promote')?.output as { lag?: Lag; mayBeLost?: string } | null
    if (shown?.lag?.completeUntil !== undefined) {
      // Committed before it at the latest when the client was told so; begun before it, a commit may have come later.
      const until = Date.parse(shown.lag.completeUntil)
      expect(lost.filter(({ toldMs }) => toldMs < until - roundingMs)).toEqual([])
    } else if (shown?.mayBeLost === 'nothing') expect(lost).toEqual([])
    // What it does acknowledge it keeps.
    expect(young.filter(({ id }) => !kept.has(id))).toEqual([])
  }
  if (outcome.status === 'succeeded') expect(young.length).toBeGreaterThan(0)
}

/** Until this client has had a write acknowledged by this server, after `sinceMs`. */
export async function writesTo(world: World, by: 'primary' | 'west', client: string, sinceMs = 0): Promise<void> {
  const count = async () =>
    (await world.acknowledged(by)).filter(({ id, atMs }) => id.startsWith(`${client}-`) && atMs > sinceMs).length
  await until(`until the client ${client} writes to ${by}`, count, (found) => found > 0)
}

interface Lag {
  readonly completeUntil?: string
}
