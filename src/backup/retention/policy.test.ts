import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { formatTime, type Snapshot } from '../../repository/index.ts'
import { applyPolicy, type KeepReason } from './policy.ts'
import { hasNoRule, periods, type KeepRules } from './rules.ts'
import { parseSpan } from './span.ts'

const nowMs = Date.parse('2025-06-01T00:00:00Z')
const raw = new Uint8Array(0)

function snapshot(time: string, tags: readonly string[] = [], number = 0): Snapshot {
  const id = (Date.parse(time) + number).toString(16).padStart(64, '0')
  return { id, time, timeMs: Date.parse(time), tree: id, paths: ['/data'], tags, raw }
}

function keptTimes(snapshots: readonly Snapshot[], rules: KeepRules): string[] {
  return applyPolicy(snapshots, rules, nowMs)
    .filter(({ keep }) => keep)
    .map(({ snapshot: { time } }) => time)
}

/** Without those that only restic since 0.16 keeps. */
function keptByCount(snapshots: readonly Snapshot[], rules: KeepRules): string[] {
  const isOldest = (reason: KeepReason) => 'oldest' in reason
  return applyPolicy(snapshots, rules, nowMs)
    .filter(({ keep, reasons }) => keep && !reasons.every(isOldest))
    .map(({ snapshot: { time } }) => time.slice(5, 16).replace('T', ' '))
}

describe('the vector taken from restic', () => {
  const history = [
    '2024-12-28T10:00:00Z',
    '2024-12-29T10:00:00Z',
    '2024-12-30T10:00:00Z',
    '2024-12-31T09:00:00Z',
    '2024-12-31T23:30:00Z',
    '2025-01-01T00:30:00Z',
    '2025-01-05T10:00:00Z',
    '2025-01-06T10:00:00Z',
  ].map((time) => snapshot(time))

  test.each<[string, KeepRules, string[]]>([
    ['daily 3', { counts: { daily: 3 } }, ['01-06 10:00', '01-05 10:00', '01-01 00:30']],
    ['weekly 3', { counts: { weekly: 3 } }, ['01-06 10:00', '01-05 10:00', '12-29 10:00']],
    ['monthly 5', { counts: { monthly: 5 } }, ['01-06 10:00', '12-31 23:30']],
    ['within 5d', { within: parseSpan('5d') }, ['01-06 10:00', '01-05 10:00']],
    [
      'within-daily 7d',
      { withinPeriod: { daily: parseSpan('7d') } },
      ['01-06 10:00', '01-05 10:00', '01-01 00:30', '12-31 23:30'],
    ],
  ])('%s', (_name, rules, expected) => {
    expect(keptByCount(history, rules)).toEqual(expected)
  })

  test('a rule with count left keeps the oldest too, and says so', () => {
    const decisions = applyPolicy(history, { counts: { monthly: 5 } }, nowMs)
    expect(decisions.at(-1)).toMatchObject({ keep: true, reasons: [{ rule: 'monthly', oldest: true }] })
    expect(keptTimes(history, { counts: { monthly: 2 } })).toEqual(['2025-01-06T10:00:00Z', '2024-12-31T23:30:00Z'])
  })
})

test('days are those of the zone that the snapshot was made in', () => {
  const evening = snapshot('2025-03-01T23:30:00+05:00')
  const sameInstantInUtc = snapshot('2025-03-01T17:00:00Z')
  const nextMorning = snapshot('2025-03-02T00:30:00+05:00')
  expect(keptTimes([evening, nextMorning], { counts: { daily: 2 } })).toHaveLength(2)
  // In UTC both are of one day; the older goes once another, the oldest, ends the group.
  const older = snapshot('2025-02-01T00:00:00Z')
  expect(keptTimes([older, sameInstantInUtc, snapshot('2025-03-01T19:30:00Z')], { counts: { daily: 1 } })).toEqual([
    '2025-03-01T19:30:00Z',
  ])
})

test('a snapshot that goes says for each rule why', () => {
  const newest = snapshot('2025-03-02T12:00:00Z')
  const sameDay = snapshot('2025-03-02T10:00:00Z')
  const spare = snapshot('2025-02-27T10:00:00Z')
  const oldest = snapshot('2025-01-01T10:00:00Z')
  const decisions = applyPolicy(
    [newest, sameDay, spare, oldest],
    { counts: { last: 1, daily: 1 }, within: parseSpan('1h'), tags: [['keep']] },
    nowMs,
  )
  expect(decisions.map(({ keep }) => keep)).toEqual([true, false, false, false])
  expect(decisions[1]?.passedOver).toEqual([
    { rule: 'tags', because: 'other-tags' },
    { rule: 'within', because: 'too-old' },
    { rule: 'last', because: 'count-reached' },
    { rule: 'daily', because: 'same-period', by: newest.id },
  ])
  expect(decisions[2]?.passedOver.at(-1)).toEqual({ rule: 'daily', because: 'count-reached' })
})

test('the empty tag keeps what has none', () => {
  const tagged = snapshot('2025-03-02T12:00:00Z', ['a'])
  const untagged = snapshot('2025-03-01T12:00:00Z')
  expect(keptTimes([tagged, untagged], { tags: [['']] })).toEqual([untagged.time])
  expect(keptTimes([tagged, untagged], { tags: [['a', 'b'], ['a']] })).toEqual([tagged.time])
})

test('what is dated in the future is kept, counts nowhere, and is no day to count spans from', () => {
  const real = [snapshot('2025-05-30T12:00:00Z'), snapshot('2025-05-29T12:00:00Z'), snapshot('2025-05-01T12:00:00Z')]
  const future = [snapshot('2031-01-01T00:00:00Z'), snapshot('2030-01-01T00:00:00Z')]
  for (const rules of [{ counts: { last: 1 } }, { within: parseSpan('1d') }, { withinPeriod: { daily: parseSpan('2d') } }]) {
    expect(keptTimes([...real, ...future], rules)).toEqual([...future.map(({ time }) => time), ...keptTimes(real, rules)])
  }
})

const instants = fc.integer({ min: Date.parse('2023-11-01T00:00:00Z'), max: nowMs })
const histories = fc
  .array(fc.tuple(instants, fc.subarray(['a', 'b', 'c'])), { minLength: 1, maxLength: 40 })
  .map((items) => items.map(([ms, tags], number) => snapshot(formatTime(BigInt(ms) * 1_000_000n), tags, number)))
const counts = fc.record(
  Object.fromEntries(['last', ...periods].map((rule) => [rule, fc.constantFrom(0, 1, 2, 3, 7, Infinity)])),
  { requiredKeys: [] },
)
const spans = fc.constantFrom('0h', '5h', '3d', '14d', '2m', '1y', '1y2m3d4h').map(parseSpan)
const rulesArbitrary: fc.Arbitrary<KeepRules> = fc.record(
  {
    counts,
    within: spans,
    withinPeriod: fc.record(Object.fromEntries(periods.map((period) => [period, spans])), { requiredKeys: [] }),
    tags: fc.array(fc.subarray(['a', 'b', 'c'], { minLength: 1 }), { maxLength: 2 }),
  },
  { requiredKeys: [] },
)
const idsOf = (snapshots: readonly Snapshot[], rules: KeepRules) =>
  new Set(applyPolicy(snapshots, rules, nowMs).flatMap(({ keep, snapshot: { id } }) => (keep ? [id] : [])))

describe('for any history and any rules', () => {
  test('each snapshot is decided once, kept exactly with a reason, and gone only with one from every rule', () => {
    fc.assert(
      fc.property(histories, rulesArbitrary, (history, rules) => {
        const decisions = applyPolicy(history, rules, nowMs)
        expect(decisions.map(({ snapshot: { id } }) => id).toSorted()).toEqual(history.map(({ id }) => id).toSorted())
        for (const { keep, reasons, passedOver } of decisions) {
          expect(keep).toBe(reasons.length > 0)
          expect(keep || hasNoRule(rules) || passedOver.length > 0).toBe(true)
        }
      }),
    )
  })

  test('the order in which they come makes no difference', () => {
    fc.assert(
      fc.property(histories, rulesArbitrary, (history, rules) => {
        expect(idsOf(history.toReversed(), rules)).toEqual(idsOf(history, rules))
      }),
    )
  })

  test('more rules never keep less: together they keep what each would', () => {
    fc.assert(
      fc.property(histories, rulesArbitrary, counts, (history, rules, more) => {
        const both = new Set([...idsOf(history, { ...rules, counts: {} }), ...idsOf(history, { counts: more })])
        expect(idsOf(history, { ...rules, counts: more })).toEqual(both)
      }),
    )
  })

  test('a larger count never keeps less', () => {
    fc.assert(
      fc.property(histories, fc.constantFrom('last', ...periods), fc.nat(10), fc.nat(10), (history, rule, count, more) => {
        const larger = idsOf(history, { counts: { [rule]: count + more } })
        expect(idsOf(history, { counts: { [rule]: count } }).isSubsetOf(larger)).toBe(true)
      }),
    )
  })

  test('the newest is kept by every rule but tags', () => {
    fc.assert(
      fc.property(histories, rulesArbitrary, (history, rules) => {
        const withoutTags = { ...rules, tags: [] }
        fc.pre(!hasNoRule(withoutTags))
        expect(applyPolicy(history, withoutTags, nowMs)[0]?.keep).toBe(true)
      }),
    )
  })

  test('snapshots dated in the future change nothing for the others', () => {
    fc.assert(
      fc.property(histories, histories, rulesArbitrary, (history, others, rules) => {
        const future = others.map(({ timeMs }, number) =>
          snapshot(formatTime(BigInt(timeMs + 3 * 366 * 86_400_000) * 1_000_000n), [], 1000 + number),
        )
        const expected = new Set([...idsOf(history, rules), ...future.map(({ id }) => id)])
        expect(idsOf([...history, ...future], rules)).toEqual(expected)
      }),
    )
  })
})
