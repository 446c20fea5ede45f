import { expect, test } from 'vitest'
import { systemClock, type Clock } from '../../kernel/index.ts'
import type { ProbeResult, Sample } from './evidence.ts'
import { sample } from './sampler.ts'

const well: readonly ProbeResult[] = [{ probe: 'p', met: true, value: true, latencyMs: 0 }]
const never = new AbortController().signal

/** A clock that is where it is told to be; sleeping moves it, and `jumps` is how much too late it wakes, sleep by sleep. */
function jumpingClock(jumps: Readonly<Record<number, number>> = {}): Clock & { at: number } {
  let sleeps = 0
  return {
    at: 0,
    now: () => new Date(0),
    monotonicMs() {
      return this.at
    },
    async sleep(ms, signal) {
      signal?.throwIfAborted()
      this.at += ms + (jumps[sleeps++] ?? 0)
      await Promise.resolve()
      signal?.throwIfAborted()
    },
  }
}

test('slots are counted from the beginning, however long a look takes', async () => {
  const clock = jumpingClock()
  const evidence = await sample({ clock, everyMs: 100, look: () => Promise.resolve(well) }, { endMs: 1000 }, never)
  expect(evidence.slots).toBe(10)
  expect(evidence.samples.map(({ dueMs }) => dueMs)).toEqual([0, 100, 200, 300, 400, 500, 600, 700, 800, 900])
  expect(evidence).toMatchObject({ startedMs: 0, endedMs: 1000, everyMs: 100 })
})

test('slots that passed while this process did not run are recorded as missed', async () => {
  // The third sleep wakes 350 ms too late.
  const clock = jumpingClock({ 2: 350 })
  const evidence = await sample({ clock, everyMs: 100, look: () => Promise.resolve(well) }, { endMs: 1000 }, never)
  expect(evidence.slots).toBe(10)
  const missed = evidence.samples.filter((each) => 'missed' in each).map(({ slot }) => slot)
  expect(missed).toEqual([3, 4, 5])
  expect(evidence.samples).toHaveLength(10)
})

test('a look that hangs delays no other, and is not joined by more than a few', async () => {
  const hanging: PromiseWithResolvers<readonly ProbeResult[]>[] = []
  let released = false
  const look = () => {
    if (released) return Promise.resolve(well)
    const one = Promise.withResolvers<readonly ProbeResult[]>()
    hanging.push(one)
    return one.promise
  }
  const samples: Sample[] = []
  const work = sample(
    { clock: systemClock, everyMs: 50, look, maxInFlight: 3, onSample: (one) => samples.push(one) },
    { endMs: systemClock.monotonicMs() + 600 },
    never,
  )
  await expect.poll(() => samples.some((each) => 'missed' in each && each.missed.includes('had not ended'))).toBe(true)
  expect(hanging).toHaveLength(3)
  released = true
  for (const { resolve } of hanging) resolve(well)
  const evidence = await work
  expect(evidence.samples.filter((each) => 'results' in each).length).toBeGreaterThanOrEqual(3)
  expect(evidence.samples).toHaveLength(evidence.slots)
})

test('it ends early when it is stopped, with what was seen until then', async () => {
  const clock = jumpingClock()
  const stop = new AbortController()
  const onSample = ({ slot }: Sample) => {
    if (slot === 3) stop.abort()
  }
  const job = { clock, everyMs: 100, look: () => Promise.resolve(well), onSample }
  const evidence = await sample(job, { endMs: Number.POSITIVE_INFINITY, stop: stop.signal }, never)
  expect(evidence.samples.length).toBe(evidence.slots)
  expect(evidence.slots).toBeGreaterThanOrEqual(4)
  expect(evidence.slots).toBeLessThanOrEqual(5)
})

test('an abort is thrown, once looks have settled', async () => {
  const controller = new AbortController()
  const clock = jumpingClock()
  const onSample = () => controller.abort(new Error('enough'))
  const job = { clock, everyMs: 100, look: () => Promise.resolve(well), onSample }
  await expect(sample(job, { endMs: 1000 }, controller.signal)).rejects.toThrow('enough')
})
