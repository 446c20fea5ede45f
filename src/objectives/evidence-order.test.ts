import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { DataEvidence, RecoveryFact, ServiceEvidence } from './evidence.ts'
import { serviceStatus } from './service-status.ts'
import { verdictOf, worstVerdict, type Verdict } from './verdict.ts'

const now = new Date('2026-06-01T12:00:00Z')
const day = 86_400_000
const objectives = { rpoMs: 3_600_000, rtoMs: 900_000 }
const planHash = 'a'.repeat(64)

const past = fc.integer({ min: 0, max: 120 * day }).map((ms) => new Date(now.getTime() - ms))
const recent = fc.integer({ min: 0, max: 7_200_000 }).map((ms) => new Date(now.getTime() - ms))
const moment = fc.oneof(past, recent)

const snapshot = fc.record({
  repository: fc.constantFrom('nas', 'offsite'),
  snapshot: fc.constantFrom('s1', 's2', 's3', 's4'),
  time: moment,
  sizeBytes: fc.constant(1000),
})
const wal = fc.record({ repository: fc.constantFrom('nas', 'offsite'), from: fc.constantFrom('s1', 's2'), coveredUntil: moment })
const restore = fc.record({
  time: past,
  snapshot: fc.constantFrom('s1', 's2'),
  sizeBytes: fc.constant(1000),
  durationMs: fc.constant(60_000),
  verifiedFiles: fc.nat(2),
})

/** A run that speaks for the service: it worked, was checked, and was within the objective. */
const goodRun: fc.Arbitrary<RecoveryFact> = fc.record({
  time: past,
  planHash: fc.constantFrom(planHash, 'b'.repeat(64)),
  outcome: fc.constant('completed'),
  rtaMs: fc.integer({ min: 1, max: 900_000 }),
  checks: fc.nat(2),
  checksFailed: fc.constant(0),
})
/** One that speaks against it: it failed, or what came back was wrong. */
const badRun: fc.Arbitrary<RecoveryFact> = fc.record({
  time: past,
  planHash: fc.constant(planHash),
  outcome: fc.constantFrom('failed', 'aborted', 'completed'),
  checks: fc.constant(2),
  checksFailed: fc.constant(1),
})

const part: fc.Arbitrary<DataEvidence> = fc.record({
  service: fc.constant('orders'),
  kind: fc.constant('files'),
  walDeclared: fc.boolean(),
  snapshots: fc.array(snapshot, { maxLength: 4 }),
  wal: fc.array(wal, { maxLength: 2 }),
  restores: fc.array(restore, { maxLength: 2 }),
  recoveries: fc.constant([]),
})
const anyEvidence: fc.Arbitrary<ServiceEvidence> = fc.record({
  data: fc.array(part, { minLength: 1, maxLength: 2 }),
  planHash: fc.constant(planHash),
  recoveries: fc.array(fc.oneof(goodRun, badRun), { maxLength: 3 }),
  unseen: fc.constant([]),
})

/** The data is the service's own: its runs are those of the service. */
const evidence = anyEvidence.map(withRuns)

function withRuns(given: ServiceEvidence): ServiceEvidence {
  return { ...given, data: given.data.map((item) => ({ ...item, recoveries: given.recoveries })) }
}

const rank: Record<Verdict, number> = { unknown: 0, missed: 0, 'at-risk': 1, met: 2 }

function ranks(given: ServiceEvidence, at = now): [rpo: number, rto: number, both: number] {
  const { rpo, rto, verdict } = serviceStatus({ objectives, evidence: given, now: at })
  return [rank[rpo.verdict], rank[rto.verdict], rank[verdict]]
}

function expectNoBetter(less: ServiceEvidence, more: ServiceEvidence, at = now) {
  const [lessRanks, moreRanks] = [ranks(less, at), ranks(more)]
  for (const [index, value] of lessRanks.entries()) expect(value).toBeLessThanOrEqual(moreRanks[index] ?? -1)
}

const runs = { numRuns: 1500 }
const without = <Item>(items: readonly Item[], at: number) => items.filter((_, index) => index !== at % Math.max(1, items.length))

/** The last run counts. Taking it away when there is an earlier one changes which facts there are, which may go either way. */
const oneGoodRunAtMost = (given: ServiceEvidence) => given.recoveries.filter(({ checksFailed }) => checksFailed === 0).length <= 1

describe('less evidence never gives a better verdict', () => {
  test('without a snapshot', () => {
    fc.assert(
      fc.property(evidence, fc.nat(), (more, at) => {
        const data = more.data.map((item) => ({ ...item, snapshots: without(item.snapshots, at) }))
        expectNoBetter({ ...more, data }, more)
      }),
      runs,
    )
  })

  test('without a piece of WAL', () => {
    fc.assert(
      fc.property(evidence, fc.nat(), (more, at) => {
        expectNoBetter({ ...more, data: more.data.map((item) => ({ ...item, wal: without(item.wal, at) })) }, more)
      }),
      runs,
    )
  })

  test('without a restore', () => {
    fc.assert(
      fc.property(evidence, fc.nat(), (more, at) => {
        expectNoBetter({ ...more, data: more.data.map((item) => ({ ...item, restores: without(item.restores, at) })) }, more)
      }),
      runs,
    )
  })

  test('without the run that speaks for it', () => {
    fc.assert(
      fc.property(evidence.filter(oneGoodRunAtMost), (more) => {
        expectNoBetter(withRuns({ ...more, recoveries: more.recoveries.filter(({ checksFailed }) => checksFailed > 0) }), more)
      }),
      runs,
    )
  })

  test('when a run that speaks against it is added', () => {
    fc.assert(
      fc.property(evidence, badRun, (given, bad) => {
        expectNoBetter(withRuns({ ...given, recoveries: [...given.recoveries, bad] }), given)
      }),
      runs,
    )
  })

  test('when time passes and nothing happens: silence is an alarm', () => {
    fc.assert(
      fc.property(evidence, fc.integer({ min: 1, max: 100 * day }), (given, ms) => {
        expectNoBetter(given, given, new Date(now.getTime() + ms))
      }),
      runs,
    )
  })

  test('and with none at all it is unknown', () => {
    const nothing = { data: [], recoveries: [], unseen: [] }
    expect(serviceStatus({ objectives, evidence: nothing, now })).toMatchObject({
      verdict: 'unknown',
      rpo: { verdict: 'unknown', because: 'no-data' },
      rto: { verdict: 'unknown', because: 'no-plan' },
    })
  })
})

test('met means measured, and within the objective', () => {
  fc.assert(
    fc.property(evidence, (given) => {
      const { rpo, rto } = serviceStatus({ objectives, evidence: given, now })
      for (const objective of [rpo, rto]) {
        if (objective.verdict !== 'met') continue
        expect(objective.basis).toBe('measured')
        expect(objective.actualMs).toBeLessThanOrEqual((objective.declaredMs ?? 0) * 0.8)
      }
    }),
    runs,
  )
})

test('a figure that is not a number is missed, and the worst of no verdicts is unknown', () => {
  expect(verdictOf(Number.NaN, 1000)).toBe('missed')
  expect(worstVerdict([])).toBe('unknown')
  expect(worstVerdict(['met', 'at-risk', 'unknown'])).toBe('unknown')
  expect(worstVerdict(['unknown', 'missed', 'met'])).toBe('missed')
})
