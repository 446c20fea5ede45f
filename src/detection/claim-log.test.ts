import fc from 'fast-check'
import { expect, test } from 'vitest'
import { plainArea } from '../../test/support/area.ts'
import { afterEntry, ClaimLog, type ClaimEntry, type ClaimState } from './claim-log.ts'

const { signal } = new AbortController()
const at = '2026-11-27T00:00:00.000Z'
const by = (decider: string) => ({ at, decider, host: decider })
const claimOf = (decider: string, run: string): ClaimEntry => ({
  type: 'claim',
  ...by(decider),
  incident: 'i',
  run,
  onset: at,
  decidedAt: at,
})

/** What a decider may do, at any time and with any state that it last saw: even take over what has not expired. */
const deeds = {
  claim: (decider: string) => (state: ClaimState) =>
    state.claim === undefined || (!state.claim.begun && state.claim.decider !== decider)
      ? claimOf(decider, `${decider}-${state.head + 1}`)
      : undefined,
  begin: (decider: string) => (state: ClaimState) =>
    state.claim?.decider === decider && !state.claim.begun
      ? ({ type: 'begun', ...by(decider), run: state.claim.run } as const)
      : undefined,
  tell: (decider: string) => (state: ClaimState) =>
    state.told.size === 0 && state.telling === undefined
      ? ({ type: 'telling', ...by(decider), because: 'why' } as const)
      : undefined,
}

test('whatever deciders do beside each other, one run at most begins for an incident, and all of them see the same', async () => {
  const deed = fc.record({
    decider: fc.constantFrom('a', 'b', 'c'),
    what: fc.constantFrom('claim', 'begin', 'tell'),
  } as const)
  await fc.assert(
    fc.asyncProperty(fc.array(deed, { minLength: 2, maxLength: 12 }), fc.scheduler(), async (list, scheduler) => {
      const area = plainArea()
      // Every access waits for its turn, in an order that the scheduler chooses.
      const slow = {
        ...area,
        get: scheduler.scheduleFunction(area.get.bind(area)),
        put: scheduler.scheduleFunction(area.put.bind(area)),
      }
      const logs = { a: new ClaimLog(slow, 'plan'), b: new ClaimLog(slow, 'plan'), c: new ClaimLog(slow, 'plan') }
      const work = list.map(({ decider, what }) => logs[decider].update(deeds[what](decider), signal))
      await scheduler.waitFor(Promise.all(work))
      const reading = Promise.all(Object.values(logs).map((log) => log.read(signal)))
      const [first, ...others] = await scheduler.waitFor(reading)
      for (const other of others) expect(other).toEqual(first)

      const entries: ClaimEntry[] = []
      for await (const { name } of area.list('plan/'))
        entries.push(JSON.parse(Buffer.from(await area.get(name)).toString()) as ClaimEntry)
      expect(entries.filter(({ type }) => type === 'begun').length).toBeLessThanOrEqual(1)
      expect(entries.filter(({ type }) => type === 'telling').length).toBeLessThanOrEqual(1)
      expect(entries).toHaveLength(first?.head ?? -1)
    }),
    { numRuns: 300 },
  )
})

test('what begins must be the run that is claimed now, and what is over is forgotten but for its place', () => {
  const claimed = [claimOf('a', 'r1'), claimOf('b', 'r2')].reduce(afterEntry, { head: 0, told: new Set<string>() } as ClaimState)
  expect(afterEntry(claimed, { type: 'begun', ...by('a'), run: 'r1' }).claim).toMatchObject({ run: 'r2', begun: false })
  const begun = afterEntry(claimed, { type: 'begun', ...by('b'), run: 'r2' })
  expect(begun.claim).toMatchObject({ run: 'r2', begun: true, number: 2 })
  const told = afterEntry(begun, { type: 'told', ...by('b'), because: 'why' })
  expect(afterEntry(told, { type: 'over', ...by('b'), why: 'seen well' })).toEqual({ head: 5, told: new Set() })
})

test('an entry that cannot be read stops whoever reads: half a memory starts nothing', async () => {
  const area = plainArea()
  await area.put('plan/0000000001', Buffer.from('{"type":"of another version"}'))
  const log = new ClaimLog(area, 'plan')
  for (let times = 0; times < 2; times++) await expect(log.read(signal)).rejects.toMatchObject({ code: 'object-damaged' })
})
