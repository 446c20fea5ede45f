import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { copiesStatus, type CopiesQuestion, type CopyPlace, type RepositoryCheck } from './copies-status.ts'
import type { DataEvidence, LedgerRef, RecoveryFact, RestoreFact, SnapshotFact } from './evidence.ts'

const now = new Date('2026-06-01T12:00:00Z')
const dayMs = 86_400_000
const ago = (days: number) => new Date(now.getTime() - days * dayMs)

function part(snapshots: readonly SnapshotFact[]): DataEvidence {
  return { service: 'db', kind: 'files', walDeclared: false, snapshots, wal: [], restores: [], recoveries: [] }
}
const snapshot = (repository: string, days = 1, more: Partial<SnapshotFact> = {}): SnapshotFact => {
  const arrived = { time: ago(days), seq: 0 }
  return { repository, snapshot: `${repository}-${days}`, time: ago(days), arrived, skipped: 0, ...more }
}
/** It took an hour. */
function checkedAt(days: number, record: LedgerRef): RepositoryCheck {
  return { began: ago(days + 1 / 24), time: ago(days), record }
}
function place(repository: string, more: Partial<CopyPlace> = {}): CopyPlace {
  const checked = checkedAt(0.5, { repository, seq: 7 })
  return { repository, site: 'east', media: 'disk', key: repository, isImmutable: false, seen: true, checked, ...more }
}
const without = ({ checked: _checked, ...rest }: CopyPlace): CopyPlace => rest
/** As of one without a record. */
const withoutCount = ({ skipped: _skipped, arrived: _arrived, ...rest }: SnapshotFact): SnapshotFact => rest
const far = place('far', { site: 'west', account: 'two', media: 'object-storage', isImmutable: true })

/** Three copies that keep the rule. */
const sound: CopiesQuestion = {
  data: [part([snapshot('near'), snapshot('far')])],
  places: [place('near'), far],
  site: 'east',
  account: 'one',
  now,
}

describe('3-2-1-1-0', () => {
  test('is kept by three copies on two media, one off site, one that cannot be deleted, all of them read', () => {
    expect(copiesStatus(sound)).toMatchObject({
      verdict: 'met',
      counts: { copies: 3, media: 2, 'off-site': 1, immutable: 1, errors: 0 },
      distinct: { sites: 2, accounts: 2, keys: 2 },
      lacking: [],
    })
  })

  const parts = (...snapshots: SnapshotFact[]) => ({ data: [part(snapshots)] })
  test.each([
    ['where nothing is', parts(snapshot('near')), 'no-snapshot'],
    ['that is damaged', parts(snapshot('near'), snapshot('far', 1, { damaged: true })), 'repository-damaged'],
    ['that lacks files', parts(snapshot('near'), snapshot('far', 1, { skipped: 2 })), 'incomplete-snapshot'],
    ['of last year', parts(snapshot('near'), snapshot('far', 200)), 'too-old'],
    [
      'of which nobody knows whether it is whole',
      { data: [part([snapshot('near'), withoutCount(snapshot('far'))])] },
      'completeness-unknown',
    ],
    ['from tomorrow', parts(snapshot('near'), snapshot('far', -1)), 'only-future-dated'],
    ['that came after it was read', { data: [part([snapshot('near'), snapshot('far', 0.1)])] }, 'never-read'],
    ['that nobody has read', { places: [place('near'), without(far)] }, 'never-read'],
    [
      'that nobody has read this spring',
      {
        data: [part([snapshot('near'), snapshot('far', 101), snapshot('far')])],
        places: [place('near'), { ...far, checked: checkedAt(100, { repository: 'far', seq: 1 }) }],
      },
      'read-too-long-ago',
    ],
  ] as const)('does not count a copy %s', (_what, change, problem) => {
    const status = copiesStatus({ ...sound, ...change })
    expect(status.copies.find(({ repository }) => repository === 'far')?.problem).toBe(problem)
    expect(status).toMatchObject({ verdict: 'missed', lacking: ['copies', 'media', 'off-site', 'immutable', 'errors'] })
  })

  test('takes a compared restore of every part for having read it, with its record', () => {
    const record = { repository: 'far', seq: 9 }
    const restores = [{ time: ago(0.5), snapshot: 'far-1', sizeBytes: 1, durationMs: 1, verifiedFiles: 1, record }]
    const data = [{ ...part([snapshot('near'), snapshot('far')]), restores }]
    const places = [place('near'), without(far)]
    expect(copiesStatus({ ...sound, data, places })).toMatchObject({
      verdict: 'met',
      copies: [{}, { readAt: ago(0.5), records: [record] }],
    })
    const twoParts = [...data, part([snapshot('near'), snapshot('far')])]
    expect(copiesStatus({ ...sound, data: twoParts, places })).toMatchObject({ verdict: 'missed' })
  })

  test('takes a compared restore for having read only what it restored, up to that', () => {
    const ask = (restored: string, ...there: SnapshotFact[]) => {
      const record = { repository: 'far', seq: 9 }
      const restores = [{ time: ago(0.1), snapshot: restored, sizeBytes: 1, durationMs: 1, verifiedFiles: 1, record }]
      const data = [{ ...part([snapshot('near'), ...there]), restores }]
      return copiesStatus({ ...sound, data, places: [place('near'), without(far)] }).copies[1]
    }
    expect(ask('far-100', snapshot('far'), snapshot('far', 100))).toMatchObject({
      problem: 'read-too-long-ago',
      readAt: ago(0.1),
    })
    expect(ask('far-5', snapshot('far'), snapshot('far', 5))).not.toHaveProperty('problem')
    expect(ask('forgotten', snapshot('far'))).toMatchObject({ problem: 'never-read' })
    // It has been given other tags since, and a new id with them.
    expect(ask('former', snapshot('far', 1, { formerIds: ['one more', 'former'] }))).not.toHaveProperty('problem')
    // One that lacks files was read, and shows nothing of the whole one before it.
    expect(ask('far-1', snapshot('far', 1, { skipped: 2 }), snapshot('far', 5))).toMatchObject({ problem: 'never-read' })
  })

  test('takes a check for having read what was there when it began, however old that is', () => {
    const ask = (...there: SnapshotFact[]) =>
      copiesStatus({ ...sound, data: [part([snapshot('near'), ...there])], places: [place('near'), far] }).copies[1]
    const since = (days: number, seq = 1) => snapshot('far', 5, { arrived: { time: ago(days), seq } })
    expect(ask(since(2))).toMatchObject({ readAt: ago(0.5), records: [{ repository: 'far', seq: 7 }] })
    expect(ask(since(2))).not.toHaveProperty('problem')
    const { arrived: _arrived, ...unknown } = since(2)
    const never = { problem: 'never-read', records: [] }
    // It was copied there after the check, while it ran, after it by a clock that is behind, or nobody knows when.
    for (const late of [since(0.1), since(0.51), since(2, 8), unknown]) expect(ask(late)).toMatchObject(never)
    expect(ask(since(0.1), snapshot('far', 6))).not.toHaveProperty('problem')
  })

  test('asks of each part by itself whether it was read', () => {
    const record = { repository: 'far', seq: 9 }
    const restored = (days: number) => [
      { time: ago(0.1), snapshot: `far-${days}`, sizeBytes: 1, durationMs: 1, verifiedFiles: 1, record },
    ]
    // What one run restored, whose parts are of different times.
    const data = [1, 5].map((days) => ({ ...part([snapshot('near'), snapshot('far', days)]), restores: restored(days) }))
    const places = [place('near'), without(far)]
    expect(copiesStatus({ ...sound, data, places })).toMatchObject({ verdict: 'met', copies: [{}, { readAt: ago(0.1) }] })
    // A check before the newer part came, and a restore of that alone.
    const [newer, older] = [data[0] as DataEvidence, { ...(data[1] as DataEvidence), restores: [] }]
    const checked = checkedAt(4, { repository: 'far', seq: 3 })
    const both = { ...sound, data: [newer, older], places: [place('near'), { ...far, checked }] }
    expect(copiesStatus(both)).toMatchObject({ verdict: 'met', copies: [{}, { readAt: ago(4) }] })
    expect(copiesStatus({ ...both, places })).toMatchObject({ verdict: 'missed', copies: [{}, { problem: 'never-read' }] })
  })

  describe('takes a recovery that was checked for having read what it restored', () => {
    const record = { repository: 'near', seq: 9 }
    const restored = { service: 'db', source: 'files', repository: 'far', snapshot: 'far-1' } as const
    const run = {
      time: ago(0.5),
      planHash: 'p',
      outcome: 'completed',
      checks: 1,
      checksFailed: 0,
      restored: [restored],
      record,
    } as const
    const ask = (recovery: RecoveryFact) =>
      copiesStatus({
        ...sound,
        data: [
          {
            ...part([snapshot('near'), snapshot('far'), snapshot('far', 3, { skipped: 1 }), snapshot('far', 5)]),
            recoveries: [recovery],
          },
        ],
        places: [place('near'), without(far)],
      })

    test('also where it is on record in another repository', () => {
      expect(ask(run)).toMatchObject({ verdict: 'met', copies: [{}, { readAt: ago(0.5), records: [record] }] })
    })

    test.each([
      ['it failed', { ...run, outcome: 'failed' }],
      ['nothing was checked', { ...run, checks: 0 }],
      ['a check failed', { ...run, checksFailed: 1 }],
      ['it restored from elsewhere', { ...run, restored: [{ ...restored, repository: 'near' }] }],
      ['it restored something else', { ...run, restored: [{ ...restored, source: 'postgres' }] }],
      ['what it restored is not there any more', { ...run, restored: [{ ...restored, snapshot: 'far-99' }] }],
      ['what it restored lacks files', { ...run, restored: [{ ...restored, snapshot: 'far-3' }] }],
      ['it is from tomorrow', { ...run, time: ago(-1) }],
      ['nobody wrote down what it restored', { ...run, restored: [] }],
    ] as const)('but not when %s', (_what, recovery) => {
      expect(ask(recovery)).toMatchObject({ verdict: 'missed', copies: [{}, { problem: 'never-read' }] })
    })

    test('and only up to that: an old snapshot that was restored shows nothing of newer ones', () => {
      const old = { ...run, restored: [{ ...restored, snapshot: 'far-100' }] }
      const data = [{ ...part([snapshot('near'), snapshot('far'), snapshot('far', 100)]), recoveries: [old] }]
      const status = copiesStatus({ ...sound, data, places: [place('near'), without(far)] })
      expect(status.copies[1]).toMatchObject({ problem: 'read-too-long-ago', readAt: ago(0.5) })
    })
  })

  test('is unknown where only what could not be looked into may keep it', () => {
    expect(copiesStatus({ ...sound, places: [place('near'), { ...far, seen: false }] })).toMatchObject({ verdict: 'unknown' })
    const bothHere = [place('near'), place('far', { seen: false })]
    expect(copiesStatus({ ...sound, places: bothHere })).toMatchObject({ verdict: 'missed' })
  })

  test('takes a copy under the account of the original for none off site', () => {
    const places = [place('near'), { ...far, account: 'one' }]
    expect(copiesStatus({ ...sound, places })).toMatchObject({ verdict: 'missed', lacking: ['off-site'] })
  })
})

test('fewer facts, and time that passes, never make it better', () => {
  const rank = { unknown: 0, missed: 0, met: 1 }
  const days = fc.integer({ min: 0, max: 120 })
  const anyPlace = fc.record({
    repository: fc.constantFrom('a', 'b', 'c'),
    site: fc.constantFrom('east', 'west'),
    media: fc.constantFrom('disk', 'tape'),
    isImmutable: fc.boolean(),
    checkedDays: fc.option(days, { nil: undefined }),
  })
  const anySnapshot = fc.record({ repository: fc.constantFrom('a', 'b', 'c'), days, skipped: fc.constantFrom(0, 0, 1) })
  const anyRestore = fc.record({ repository: fc.constantFrom('a', 'b', 'c'), days, restoredDays: days })
  fc.assert(
    fc.property(
      fc.uniqueArray(anyPlace, { selector: ({ repository }) => repository, minLength: 2, maxLength: 3 }),
      fc.array(anySnapshot, { minLength: 2, maxLength: 8 }),
      fc.nat(),
      days,
      fc.array(anyRestore, { maxLength: 4 }),
      (places, snapshots, which, later, restored) => {
        // One in two is of a snapshot that is there.
        const restores = restored.map(({ repository, days: old, restoredDays }, at): RestoreFact => {
          const there = at % 2 === 0 ? snapshots[at % snapshots.length] : undefined
          const from = there?.repository ?? repository
          const record = { repository: from, seq: 9 }
          const id = `${from}-${there?.days ?? restoredDays}`
          return { time: ago(old), snapshot: id, sizeBytes: 1, durationMs: 1, verifiedFiles: 1, record }
        })
        const ask = (
          facts: readonly SnapshotFact[],
          change: (each: CopyPlace, at: number) => CopyPlace,
          at = now,
          known = restores,
        ) =>
          rank[
            copiesStatus({
              data: [{ ...part(facts), restores: known }],
              places: places
                .map(({ checkedDays, ...each }) => {
                  const whole = place(each.repository, each)
                  if (checkedDays === undefined) return without(whole)
                  return { ...whole, checked: checkedAt(checkedDays, { repository: each.repository, seq: 1 }) }
                })
                .map(change),
              site: 'east',
              now: at,
            }).verdict
          ]
        const facts = snapshots.map(({ repository, days: old, skipped }) => snapshot(repository, old, { skipped }))
        const unrecorded = facts.map((fact, at) => (at === which % facts.length ? withoutCount(fact) : fact))
        const same = (each: CopyPlace) => each
        const before = ask(facts, same)
        const chosen = which % places.length
        expect(
          ask(
            facts.filter((_, at) => at !== which % facts.length),
            same,
          ),
        ).toBeLessThanOrEqual(before)
        const fewer = restores.filter((_, at) => at !== which % restores.length)
        expect(ask(facts, same, now, fewer)).toBeLessThanOrEqual(before)
        expect(ask(unrecorded, same)).toBeLessThanOrEqual(before)
        expect(ask(facts, (each, at) => (at === chosen ? without(each) : each))).toBeLessThanOrEqual(before)
        expect(ask(facts, (each, at) => (at === chosen ? { ...each, seen: false } : each))).toBeLessThanOrEqual(before)
        expect(ask(facts, same, new Date(now.getTime() + later * dayMs))).toBeLessThanOrEqual(before)
      },
    ),
    { numRuns: 300 },
  )
})
