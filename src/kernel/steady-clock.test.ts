import { expect, test } from 'vitest'
import { steadyClock, systemClock } from './index.ts'

test('a steady clock begins at the wall clock’s time and goes on with the monotonic one, however the wall clock is set', () => {
  let monotonicMs = 5000
  const clock = { ...systemClock, now: () => new Date(0), monotonicMs: () => monotonicMs }
  const steady = steadyClock({ at: '2026-01-01T00:00:00.000Z', monotonicMs: 4000, boot: 'x' }, clock)
  expect(steady.now().toISOString()).toBe('2026-01-01T00:00:01.000Z')
  monotonicMs += 60_000
  expect(steady.now().toISOString()).toBe('2026-01-01T00:01:01.000Z')
})
