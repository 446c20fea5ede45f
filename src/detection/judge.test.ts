import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decideStart } from './decide.ts'
import { holdAfter, type Hold, type SeenState } from './hold.ts'
import { judge, type QuorumRule, type Sight } from './judge.ts'

const now = new Date('2026-11-26T12:00:00Z')

const rule = (parts: Partial<QuorumRule> = {}): QuorumRule => ({
  observers: ['north', 'south', 'east'],
  needed: 2,
  forMs: 10_000,
  staleAfterMs: 5000,
  rule: 'r',
  ...parts,
})

const sight = (observer: string, state: SeenState, parts: Partial<Sight> = {}): Sight => ({
  observer,
  state,
  epoch: 1,
  seq: 9,
  ageMs: 500,
  rule: 'r',
  heldMs: 20_000,
  beganMs: 21_000,
  ...parts,
})

const cases: readonly (readonly [what: string, sights: readonly Sight[], verdict: string])[] = [
  ['all see it well', [sight('north', 'up'), sight('south', 'up'), sight('east', 'up')], 'healthy'],
  ['a quorum sees it down', [sight('north', 'down'), sight('south', 'down'), sight('east', 'up')], 'down'],
  ['one sees it down', [sight('north', 'down'), sight('south', 'up'), sight('east', 'up')], 'healthy'],
  ['one sees it down, the others are silent', [sight('north', 'down')], 'unknown'],
  ['one sees it down, one well, one is silent', [sight('north', 'down'), sight('south', 'up')], 'suspected'],
  ['nobody says anything', [], 'unknown'],
  ['not long enough', [sight('north', 'down', { heldMs: 9999 }), sight('south', 'down'), sight('east', 'up')], 'suspected'],
  ['two are blind', [sight('north', 'down'), sight('south', 'blind'), sight('east', 'blind')], 'unknown'],
  [
    'two are late',
    [sight('north', 'down', { ageMs: 5001 }), sight('south', 'down', { ageMs: 5001 }), sight('east', 'down')],
    'unknown',
  ],
  [
    'two look at something else',
    [sight('north', 'down', { rule: 'old' }), sight('south', 'down', { rule: 'old' }), sight('east', 'down')],
    'unknown',
  ],
  [
    'one is dated in the future',
    [sight('north', 'down', { ageMs: -60_000 }), sight('south', 'down'), sight('east', 'up')],
    'suspected',
  ],
  [
    'strangers do not count',
    [sight('west', 'down'), sight('mars', 'down'), sight('south', 'up'), sight('east', 'up')],
    'healthy',
  ],
  [
    'one observer is one vote, however many reports it leaves',
    [sight('north', 'down'), sight('north', 'down', { seq: 8 }), sight('north', 'down', { epoch: 2 }), sight('south', 'up')],
    'suspected',
  ],
  [
    'the newest report counts',
    [sight('north', 'down'), sight('north', 'up', { seq: 10 }), sight('south', 'down'), sight('east', 'up')],
    'healthy',
  ],
  [
    'a restarted observer counts from its new epoch, whatever it numbered before',
    [
      sight('north', 'down', { seq: 500 }),
      sight('north', 'up', { epoch: 2, seq: 1 }),
      sight('south', 'down'),
      sight('east', 'up'),
    ],
    'healthy',
  ],
]

describe('the verdict', () => {
  test.each(cases.map(([what, sights, verdict]) => ({ what, sights, verdict })))('$what: $verdict', ({ sights, verdict }) => {
    expect(judge(rule(), sights, now).verdict).toBe(verdict)
  })

  test('the onset is when the first of those that count began to see it', () => {
    const found = judge(rule(), [sight('north', 'down'), sight('south', 'down', { beganMs: 30_000 })], now)
    expect(found).toMatchObject({ verdict: 'down', since: new Date(now.getTime() - 30_500), by: ['north', 'south'] })
  })

  test('the quorum is complete when the last of those that it takes began to see it, whoever joined later', () => {
    const seen = (observer: string, beganMs: number) => sight(observer, 'down', { heldMs: 11_000, beganMs, ageMs: 0 })
    const found = judge(rule(), [seen('north', 3_600_000), seen('south', 12_000), seen('east', 15_000)], now)
    const before = (ms: number) => new Date(now.getTime() - ms)
    expect(found).toMatchObject({ verdict: 'down', since: before(3_600_000), quorumSince: before(15_000) })
    const all = judge(rule({ needed: 3 }), [seen('north', 3_600_000), seen('south', 12_000), seen('east', 15_000)], now)
    expect(all).toMatchObject({ verdict: 'down', since: before(3_600_000), quorumSince: before(12_000) })
  })
})

const arbitraryRule = fc
  .record({
    count: fc.integer({ min: 1, max: 5 }),
    forMs: fc.integer({ min: 1, max: 50 }),
    staleAfterMs: fc.integer({ min: 1, max: 50 }),
  })
  .chain(({ count, ...rest }) =>
    fc.record({
      observers: fc.constant(Array.from({ length: count }, (_, index) => `o${index}`)),
      needed: fc.integer({ min: 1, max: count }),
      forMs: fc.constant(rest.forMs),
      staleAfterMs: fc.constant(rest.staleAfterMs),
      rule: fc.constant('r'),
    }),
  )
const arbitrarySight: fc.Arbitrary<Sight> = fc.record({
  observer: fc.integer({ min: 0, max: 5 }).map((index) => `o${index}`),
  epoch: fc.integer({ min: 1, max: 2 }),
  seq: fc.integer({ min: 1, max: 3 }),
  ageMs: fc.integer({ min: -6000, max: 60 }).map((ms) => (ms < -60 && ms > -5000 ? -ms % 60 : ms)),
  rule: fc.constantFrom('r', 'r', 'r', 'other'),
  state: fc.constantFrom<SeenState>('down', 'down', 'up', 'blind'),
  heldMs: fc.integer({ min: 0, max: 100 }),
  beganMs: fc.integer({ min: 0, max: 100 }),
})
/** One report of each observer: it is when the observers differ that a quorum matters. */
const arbitrarySights = fc.uniqueArray(arbitrarySight, { selector: ({ observer }) => observer, maxLength: 6 })

describe('whatever is reported', () => {
  test('the order and the repetition of reports do not matter', () => {
    fc.assert(
      fc.property(
        arbitraryRule,
        fc
          .array(arbitrarySight, { maxLength: 12 })
          .chain((all) => fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: all.length, maxLength: all.length }))),
        (given, [sights, shuffled]) => {
          // Two reports of one number differ only in a broken observer; which of them counts is then open.
          const distinct = new Map(sights.map((each) => [`${each.observer} ${each.epoch} ${each.seq}`, each]))
          const kept = sights.filter((each) => [...distinct.values()].includes(each))
          const other = shuffled.filter((each) => kept.includes(each))
          expect(judge(given, [...other, ...other], now)).toEqual(judge(given, kept, now))
        },
      ),
    )
  })

  test('less evidence never makes it down, nor healthy', () => {
    const lessen = fc.constantFrom<((seen: Sight) => Sight[])[]>(
      () => [],
      // What is dated so far in the future that it does not count would count again when it is older.
      (each) => [{ ...each, ageMs: each.ageMs < -5000 ? each.ageMs : each.ageMs + 100 }],
      (each) => [{ ...each, ageMs: -10_000 }],
      (each) => [{ ...each, state: 'blind' }],
      (each) => [{ ...each, rule: 'other' }],
      (each) => (each.state === 'down' ? [{ ...each, heldMs: 0 }] : []),
    )
    let downs = 0
    fc.assert(
      fc.property(arbitraryRule, arbitrarySights, lessen, fc.nat(), (given, sights, change, which) => {
        const at = sights.length === 0 ? 0 : which % sights.length
        const less = judge(given, sights.toSpliced(at, 1, ...(sights[at] === undefined ? [] : change(sights[at]))), now).verdict
        const all = judge(given, sights, now).verdict
        if (all === 'down') downs++
        expect(less === 'down' || less === 'healthy' ? all : less).toBe(less)
      }),
      { numRuns: 2000 },
    )
    expect(downs).toBeGreaterThan(20)
  })

  test('it is down only when a quorum of configured observers saw it freshly, of the same thing, for long enough', () => {
    fc.assert(
      fc.property(arbitraryRule, arbitrarySights, (given, sights) => {
        const votes = sights.filter(
          ({ observer, state, heldMs, ageMs, rule: looked }) =>
            given.observers.includes(observer) &&
            state === 'down' &&
            looked === 'r' &&
            heldMs >= given.forMs &&
            ageMs <= given.staleAfterMs &&
            ageMs >= -5000,
        )
        expect(judge(given, sights, now).verdict === 'down').toBe(votes.length >= given.needed)
      }),
      { numRuns: 2000 },
    )
  })

  test('a single partitioned observer never triggers, whatever the others say or leave unsaid, as long as they do not see it too', () => {
    fc.assert(
      fc.property(
        arbitraryRule.filter(({ needed }) => needed >= 2),
        arbitrarySights,
        (given, sights) => {
          const others = sights.filter(({ observer, state }) => observer !== 'o0' && state !== 'down')
          const cutOff = sight('o0', 'down', { heldMs: 1e9, ageMs: 0 })
          expect(judge(given, [...others, cutOff], now).verdict).not.toBe('down')
        },
      ),
    )
  })
})

describe('a hold', () => {
  const after = (looks: readonly (readonly [atMs: number, state: SeenState])[], gapMs = 250) =>
    looks.reduce<Hold | undefined>(
      (hold, [at, state]) => holdAfter(hold, { startedMs: at, endedMs: at + 50, state }, gapMs),
      undefined,
    )
  const heldMs = (hold: Hold | undefined) => (hold === undefined ? 0 : hold.lastEndedMs - hold.firstEndedMs)

  test('lasts from the end of its first look: one look that hangs for long is no time at all', () => {
    expect(heldMs(holdAfter(undefined, { startedMs: 0, endedMs: 60_000, state: 'down' }, 250))).toBe(0)
    expect(
      heldMs(
        after([
          [0, 'down'],
          [100, 'down'],
          [200, 'down'],
        ]),
      ),
    ).toBe(200)
  })

  test.each(['up', 'blind'] as const)('begins anew after a single look that is %s', (state) => {
    expect(
      heldMs(
        after([
          [0, 'down'],
          [100, 'down'],
          [200, state],
          [300, 'down'],
          [400, 'down'],
        ]),
      ),
    ).toBe(100)
  })

  test('begins anew after a gap in which nobody looked', () => {
    expect(
      heldMs(
        after([
          [0, 'down'],
          [100, 'down'],
          [500, 'down'],
        ]),
      ),
    ).toBe(0)
  })

  test('is never longer than the time since the last look of another state', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom<SeenState>('up', 'down', 'blind'), { minLength: 1 }), (states) => {
        const last = states.at(-1)
        const alike = states.length - 1 - states.findLastIndex((state) => state !== last)
        expect(heldMs(after(states.map((state, index) => [index * 100, state])))).toBe((alike - 1) * 100)
      }),
    )
  })
})

describe('a start without asking', () => {
  const down = judge(rule(), [sight('north', 'down'), sight('south', 'down')], now)
  const before = (ms: number) => new Date(now.getTime() - ms)
  const ask = { verdict: down, decide: 'auto', quietMs: 60_000, now } as const

  test('is made when it is down, with the onset', () => {
    expect(decideStart(ask)).toEqual({ start: true, onset: before(21_500) })
  })

  test.each([
    ['it is not down', { verdict: judge(rule(), [], now) }, 'not-down'],
    ['a person decides', { decide: 'ask' as const }, 'a-person-decides'],
    ['another run is open', { openRun: { runId: 'a' } }, 'run-open'],
    [
      'the service was not seen well since a run that was started by itself',
      { quietMs: 0, unsettled: { runId: 'a' } },
      'same-outage',
    ],
    ['a run has just ended', { lastRun: { runId: 'a', startedAt: before(90_000), endedAt: before(59_000) } }, 'quiet'],
    [
      'a run was started for this outage',
      { quietMs: 0, lastRun: { runId: 'a', startedAt: before(20_000), endedAt: before(9000) } },
      'same-outage',
    ],
    [
      'the outage began while the last run was at work',
      { quietMs: 0, lastRun: { runId: 'a', startedAt: before(90_000), endedAt: before(9000) } },
      'same-outage',
    ],
  ])('is refused when %s', (_, parts, because) => {
    expect(decideStart({ ...ask, ...parts })).toMatchObject({ start: false, because })
  })

  test('is made again for another outage, once it has been quiet', () => {
    const lastRun = { runId: 'a', startedAt: before(90_000), endedAt: before(61_000) }
    expect(decideStart({ ...ask, lastRun })).toMatchObject({ start: true })
  })
})
