import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { commonPoint } from './common-point.ts'
import type { DataEvidence } from './evidence.ts'
import { groupStatus, type GroupQuestion } from './group-status.ts'
import { serviceStatus } from './service-status.ts'

const now = new Date('2026-06-01T12:00:00Z')
const minuteMs = 60_000
const ago = (minutes: number) => new Date(now.getTime() - minutes * minuteMs)

/** A part of data with snapshots so many minutes ago; with WAL up to `walTo`, from its oldest snapshot. */
function part(service: string, snapshots: readonly number[], walTo?: number, walDeclared = walTo !== undefined): DataEvidence {
  const oldest = Math.max(...snapshots)
  return {
    service,
    kind: 'postgres',
    walDeclared,
    snapshots: snapshots.map((minutes) => ({ repository: 'nas', snapshot: `${service}-${minutes}`, time: ago(minutes) })),
    wal: walTo === undefined ? [] : [{ repository: 'nas', from: `${service}-${oldest}`, coveredUntil: ago(walTo) }],
    restores: [{ time: ago(1), snapshot: 's', sizeBytes: 1, durationMs: 1, verifiedFiles: 1 }],
    recoveries: [{ time: ago(1), planHash: 'a', outcome: 'completed', rtaMs: 1, checks: 1, checksFailed: 0 }],
  }
}

function pointOf(parts: readonly DataEvidence[], spread?: number) {
  const point = commonPoint(parts, now.getTime(), spread === undefined ? undefined : spread * minuteMs)
  if (point === undefined) return undefined
  const { worst, spreadMs } = point
  return { ago: (now.getTime() - worst.time.getTime()) / minuteMs, worst: worst.part.service, apart: spreadMs / minuteMs }
}

describe('the point that several come back to', () => {
  test('is the worst one’s, with the spread, where nobody says how far apart they may be', () => {
    expect(pointOf([part('a', [5, 100]), part('b', [60, 200])])).toEqual({ ago: 60, worst: 'b', apart: 55 })
  })

  test('is the newest at which they are near enough, also where that is an older one', () => {
    expect(pointOf([part('a', [5, 100]), part('b', [60, 98])], 10)).toEqual({ ago: 100, worst: 'a', apart: 2 })
    expect(pointOf([part('a', [5]), part('b', [60])], 10)).toBeUndefined()
  })

  test('is any moment for one with WAL: it goes back as far as the others need', () => {
    expect(pointOf([part('a', [500], 1), part('b', [60])], 0)).toEqual({ ago: 60, worst: 'a', apart: 0 })
    // Not beyond the backup that the replay begins at.
    expect(pointOf([part('a', [50], 1), part('b', [60])], 0)).toBeUndefined()
  })
})

interface Given {
  readonly snapshots: readonly number[]
  readonly walTo?: number | undefined
  readonly walDeclared?: boolean
}
const given: fc.Arbitrary<Given> = fc.record({
  snapshots: fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 5 }),
  walTo: fc.option(fc.integer({ min: 0, max: 10 }), { nil: undefined }),
})
const several = fc.array(given, { minLength: 1, maxLength: 3 })
const parts = (all: readonly Given[]) =>
  all.map(({ snapshots, walTo, walDeclared }, index) => part(`s${index}`, snapshots, walTo, walDeclared))

/** Whether there are states, one of each, that are all between `oldest` and `oldest` less `spread` minutes ago: tried one minute at a time. */
function exists(all: readonly Given[], oldest: number, spread: number): boolean {
  return all.every(({ snapshots, walTo }) => {
    const near = (minutes: number) => minutes <= oldest && minutes >= oldest - spread
    const base = Math.max(...snapshots)
    const byWal =
      walTo === undefined ? [] : Array.from({ length: 41 }, (_, minutes) => minutes).filter((m) => m >= walTo && m <= base)
    return [...snapshots, ...byWal].some(near)
  })
}

test('it agrees with trying every minute', () => {
  fc.assert(
    fc.property(several, fc.integer({ min: 0, max: 20 }), (all, spread) => {
      const found = pointOf(parts(all), spread)
      const best = Array.from({ length: 41 }, (_, minutes) => minutes).find((oldest) => exists(all, oldest, spread))
      expect(found?.ago).toBe(best)
      expect(found?.apart ?? 0).toBeLessThanOrEqual(spread)
    }),
    { numRuns: 400 },
  )
})

function question(all: readonly Given[], spread: number | undefined, at = now): GroupQuestion {
  return {
    members: parts(all).map((data) => {
      const evidence = { data: [data], planHash: 'a', recoveries: data.recoveries, unseen: [] }
      const status = serviceStatus({ objectives: { rpoMs: 1, rtoMs: 1 }, evidence, now: at })
      return { service: data.service, data: [data], status }
    }),
    rpoMs: 30 * minuteMs,
    ...(spread === undefined ? {} : { spreadMs: spread * minuteMs }),
    now: at,
  }
}

/** The same of a group whose first member has other data. */
function withData(asked: GroupQuestion, change: (data: DataEvidence) => DataEvidence): GroupQuestion {
  return {
    ...asked,
    members: asked.members.map((member, at) => (at === 0 ? { ...member, data: member.data.map(change) } : member)),
  }
}

const rank = { unknown: 0, missed: 0, 'at-risk': 1, met: 2 }
const rankOf = (asked: GroupQuestion) => rank[groupStatus(asked).verdict]

describe('the verdict on a group', () => {
  test('is met only by what is proven of all, and says who would go back', () => {
    const sound = groupStatus(question([{ snapshots: [100], walTo: 1 }, { snapshots: [10, 90] }], 5))
    expect(sound).toMatchObject({ verdict: 'met', actualMs: 10 * minuteMs, spreadMs: 0, worst: 's0', goBack: ['s0'] })
    const both = question([{ snapshots: [100], walTo: 1 }, { snapshots: [10] }], 5)
    const [database, ...others] = both.members.map((member) => ({
      ...member,
      status: { ...member.status, recoverableTo: ago(10) },
    }))
    const withFiles = database === undefined ? [] : [{ ...database, data: [...database.data, part('s0', [10])] }, ...others]
    // Its files are as old as the others; its database is not.
    expect(groupStatus({ ...both, members: withFiles })).toMatchObject({ spreadMs: 0, goBack: ['s0'] })
    const asked = question([{ snapshots: [1] }, { snapshots: [10] }], 20)
    const unproven = withData(asked, (data) => ({ ...data, restores: [], recoveries: [] }))
    expect(groupStatus(unproven)).toMatchObject({ verdict: 'at-risk', because: 'not-proven-of-all', basis: 'estimated' })
    expect(groupStatus(question([{ snapshots: [1] }, { snapshots: [60] }], 5))).toMatchObject({
      verdict: 'missed',
      because: 'too-far-apart',
    })
  })

  test('is no better than at risk where a state that they come back to lacks files, or WAL that is declared', () => {
    const asked = question([{ snapshots: [1, 5] }, { snapshots: [4] }], 2)
    expect(groupStatus(asked)).toMatchObject({ verdict: 'met', doubtful: [] })
    const skipping = (minutes: number) =>
      withData(asked, (data) => ({
        ...data,
        snapshots: data.snapshots.map((each) =>
          each.time.getTime() === ago(minutes).getTime() ? { ...each, skipped: 3 } : each,
        ),
      }))
    // That of 5 minutes ago is the one they come back to: one that no member goes back to raises no doubt.
    expect(groupStatus(skipping(5))).toMatchObject({ verdict: 'at-risk', because: 'incomplete-snapshot', doubtful: ['s0'] })
    expect(groupStatus(skipping(1))).toMatchObject({ verdict: 'met' })
    const withoutWal = question([{ snapshots: [5], walDeclared: true }, { snapshots: [4] }], 2)
    expect(groupStatus(withoutWal)).toMatchObject({ verdict: 'at-risk', because: 'wal-not-archived', doubtful: ['s0'] })
  })

  test('says with which target each member comes back to the state that was counted', () => {
    const status = groupStatus(
      question(
        [
          { snapshots: [20], walTo: 3 },
          { snapshots: [40], walTo: 10 },
        ],
        undefined,
      ),
    )
    const recoverWith = [
      { service: 's0', to: ago(3) },
      { service: 's1', to: ago(10) },
    ]
    expect(status).toMatchObject({ recoverableTo: ago(10), recoverWith, spreadMs: 7 * minuteMs })
  })

  test('gives a database no target behind its WAL, and none but the latest where it has none', () => {
    const asked = question([{ snapshots: [3] }, { snapshots: [60], walTo: 10 }], undefined)
    expect(groupStatus(withData(asked, (data) => ({ ...data, kind: 'files' }))).recoverWith).toEqual([
      { service: 's0', to: ago(3) },
      { service: 's1', to: ago(10) },
    ])
    expect(groupStatus(question([{ snapshots: [60, 90] }, { snapshots: [61] }], undefined)).recoverWith).toEqual([
      { service: 's0', to: 'latest' },
      { service: 's1', to: 'latest' },
    ])
  })

  test('is unknown where nothing is known of one, and of a group without members', () => {
    const asked = question([{ snapshots: [1] }, { snapshots: [1] }], 5)
    const blind = asked.members.map((member, index) => (index === 0 ? { ...member, data: [] } : member))
    expect(groupStatus({ ...asked, members: blind })).toMatchObject({ verdict: 'unknown', unknown: ['s0'], basis: 'unknown' })
    expect(groupStatus({ ...asked, members: [] })).toMatchObject({ verdict: 'unknown' })
  })

  test('is never better with less evidence, a narrower spread, or later', () => {
    const spread = fc.option(fc.integer({ min: 0, max: 20 }), { nil: undefined })
    fc.assert(
      fc.property(several, spread, fc.nat(), fc.nat(), fc.integer({ min: 0, max: 100 }), (all, apart, which, gone, later) => {
        const before = rankOf(question(all, apart))
        const less = all.map((one, index) => {
          if (index !== which % all.length) return one
          const snapshots = one.snapshots.filter((_, at) => at !== gone % one.snapshots.length)
          return snapshots.length === 0 || gone % 2 === 0
            ? { snapshots: one.snapshots, walDeclared: one.walTo !== undefined }
            : { ...one, snapshots }
        })
        expect(rankOf(question(less, apart))).toBeLessThanOrEqual(before)
        const narrower = apart === undefined ? 20 : Math.max(0, apart - 1)
        expect(rankOf(question(all, narrower))).toBeLessThanOrEqual(before)
        expect(before).toBeLessThanOrEqual(rankOf(question(all, undefined)))
        expect(rankOf(question(all, apart, new Date(now.getTime() + later * minuteMs)))).toBeLessThanOrEqual(before)
      }),
      { numRuns: 400 },
    )
  })
})
