import type { DataEvidence, LedgerRef, SnapshotFact } from './evidence.ts'
import { clockToleranceMs, proofMaxAgeMs } from './objective-status.ts'
import { isProof } from './proof.ts'
import { recoverablePoints, soundSnapshots, type PointProblem } from './recoverable-point.ts'

/** A repository that the catalog says some data is copied to. */
export interface CopyPlace {
  readonly repository: string
  readonly site: string
  /** What its site is closed or locked with. */
  readonly account?: string
  readonly media: string
  /** Equal for repositories that the same key opens. */
  readonly key: string
  /** The storage refuses to delete what is in it, as the catalog says. */
  readonly isImmutable: boolean
  /** It could be looked into. */
  readonly seen: boolean
  /** The newest check that read all that is in it, where that found nothing wrong. */
  readonly checked?: RepositoryCheck
}

/** What was there when it began has been read when it ended, at `time`. */
export interface RepositoryCheck {
  readonly began: Date
  readonly time: Date
  readonly record: LedgerRef
}

export interface CopiesQuestion {
  /** All parts of the data that the service holds. */
  readonly data: readonly DataEvidence[]
  readonly places: readonly CopyPlace[]
  /** Where the original stands. */
  readonly site: string
  readonly account?: string | undefined
  readonly now: Date
}

/** Why a copy does not count. */
export type CopyProblem =
  | PointProblem
  | 'incomplete-snapshot'
  | 'completeness-unknown'
  | 'unseen'
  | 'too-old'
  | 'never-read'
  | 'read-too-long-ago'

/** A copy of all of the data, and what is known of it. */
export interface CopyStatus extends Pick<CopyPlace, 'repository' | 'site' | 'account' | 'media' | 'isImmutable'> {
  /** Absent: it is whole, recent and was read again: it counts. */
  readonly problem?: CopyProblem
  /** The moment that all parts can be brought back to from it. */
  readonly newest?: Date
  /** When all of it was last read and found right, by a check, or of each part by a compared restore or a recovery that was checked. */
  readonly readAt?: Date
  readonly records: readonly LedgerRef[]
}

export const copyRules = ['copies', 'media', 'off-site', 'immutable', 'errors'] as const
export type CopyRule = (typeof copyRules)[number]

/**
 * The rule 3-2-1-1-0, counted by what is proven: three copies with the original as one of them, on two media, one of them off site (another site, and another
 * account where accounts are known), one that cannot be deleted, and none that is declared and not proven.
 */
export interface CopiesStatus {
  readonly copies: readonly CopyStatus[]
  /** What there is of what each part of the rule asks for; of errors there may be none. */
  readonly counts: Readonly<Record<CopyRule, number>>
  /** How many different ones the original and the copies that count have; of keys only the copies. */
  readonly distinct: Readonly<Record<'sites' | 'accounts' | 'keys', number>>
  /** Parts of the rule that are not kept; those that only an unseen repository may still keep, too. */
  readonly lacking: readonly CopyRule[]
  readonly verdict: 'met' | 'missed' | 'unknown'
}

/** What the rule asks for. */
export const copyNeeds: Readonly<Record<Exclude<CopyRule, 'errors'>, number>> = {
  copies: 3,
  media: 2,
  'off-site': 1,
  immutable: 1,
}

/** The medium of the original: catalogs do not say it. */
const originalMedia = 'disk'

/** Fewer facts never make a better verdict: a repository that could not be looked into leaves it at best unknown. */
export function copiesStatus(question: CopiesQuestion): CopiesStatus {
  const { places, site, account } = question
  const copies = places.map((place) => copyStatus(place, question))
  const proven = copies.filter(({ problem }) => problem === undefined)
  const counts = countsOf(copies, proven, question)
  const lacking = lackingIn(counts)
  const withUnseen = copies.filter(({ problem }) => problem === undefined || problem === 'unseen')
  const mayBeMet = lackingIn(countsOf(copies, withUnseen, question)).length === 0
  const different = (values: readonly (string | undefined)[]) => new Set(values.filter((value) => value !== undefined)).size
  const isProven = new Set(proven.map(({ repository }) => repository))
  return {
    copies,
    counts,
    distinct: {
      sites: different([site, ...proven.map((copy) => copy.site)]),
      accounts: different([account, ...proven.map((copy) => copy.account)]),
      keys: different(places.flatMap(({ repository, key }) => (isProven.has(repository) ? [key] : []))),
    },
    lacking,
    verdict: lacking.length === 0 ? 'met' : mayBeMet ? 'unknown' : 'missed',
  }
}

function countsOf(
  all: readonly CopyStatus[],
  counted: readonly CopyStatus[],
  { site, account }: CopiesQuestion,
): CopiesStatus['counts'] {
  const isElsewhere = (copy: CopyStatus) =>
    copy.site !== site && (account === undefined || copy.account === undefined || copy.account !== account)
  return {
    copies: 1 + counted.length,
    media: new Set([originalMedia, ...counted.map(({ media }) => media)]).size,
    'off-site': counted.filter(isElsewhere).length,
    immutable: counted.filter(({ isImmutable }) => isImmutable).length,
    errors: all.length - counted.length,
  }
}

function lackingIn(counts: CopiesStatus['counts']): CopyRule[] {
  return copyRules.filter((rule) => (rule === 'errors' ? counts.errors > 0 : counts[rule] < copyNeeds[rule]))
}

function copyStatus(place: CopyPlace, { data, now }: CopiesQuestion): CopyStatus {
  const { repository, site, account, media, isImmutable, seen, checked } = place
  const limit = now.getTime() + clockToleranceMs
  const about = { repository, site, ...(account === undefined ? {} : { account }), media, isImmutable }
  if (!seen) return { ...about, problem: 'unseen', records: [] }
  const parts = data.map((part) => ({ part, ...countedIn(part, repository, limit) }))
  const problem = parts.length === 0 ? ('no-snapshot' as const) : parts.find((one) => one.problem !== undefined)?.problem
  if (problem !== undefined) return { ...about, problem, records: [] }
  const looked = parts.map(({ part, snapshots }) => {
    const kinds = [readByCheck(checked, snapshots), readByRestores(part, repository, snapshots)]
    const readings = kinds.flatMap((found) => furthest(found.filter(({ at }) => at <= limit)) ?? [])
    return { newest: Math.max(...snapshots.map(({ time }) => time.getTime())), readings, best: furthest(readings) }
  })
  const newest = Math.min(...looked.map((one) => one.newest))
  const read = Math.min(...looked.map(({ best }) => best?.upTo ?? -Infinity))
  const readAt = Math.min(...looked.map(({ best }) => best?.at ?? -Infinity))
  // Of several parts one check, or one run, may be the newest reading.
  const records = new Map(
    looked
      .flatMap(({ readings }) => readings.flatMap(({ record }) => record ?? []))
      .map((record) => [`${record.repository}\0${record.seq}`, record]),
  )
  const found = {
    ...about,
    newest: new Date(newest),
    ...(readAt === -Infinity ? {} : { readAt: new Date(readAt) }),
    records: [...records.values()],
  }
  const isOld = (time: number) => now.getTime() - time > proofMaxAgeMs
  if (isOld(newest)) return { ...found, problem: 'too-old' }
  if (read === -Infinity) return { ...found, problem: 'never-read' }
  return isOld(read) ? { ...found, problem: 'read-too-long-ago' } : found
}

/** Its whole and sound snapshots there: WAL is no copy of what it goes on from. */
function countedIn(
  part: DataEvidence,
  repository: string,
  limit: number,
): { readonly snapshots: readonly SnapshotFact[]; readonly problem?: CopyProblem } {
  const there = part.snapshots.filter((snapshot) => snapshot.repository === repository)
  const whole = there.filter(({ skipped }) => skipped === 0)
  if (whole.length === 0 && there.length > 0)
    return {
      snapshots: [],
      problem: there.some(({ skipped = 0 }) => skipped > 0) ? 'incomplete-snapshot' : 'completeness-unknown',
    }
  const { problem } = recoverablePoints({ ...part, walDeclared: false, wal: [], snapshots: whole }, limit)
  return { snapshots: soundSnapshots({ snapshots: whole }, limit), ...(problem === undefined ? {} : { problem }) }
}

/** In ms since 1970. */
interface Reading {
  readonly at: number
  /** The time of the newest snapshot that was read. */
  readonly upTo: number
  readonly record?: LedgerRef | undefined
}

function furthest(readings: readonly Reading[]): Reading | undefined {
  return readings.toSorted((a, b) => b.upTo - a.upTo || b.at - a.at)[0]
}

/** What came while it went on, or later, nobody has read yet, however old the state is: both the places of the records and their clocks must say that it was there. */
function readByCheck(check: RepositoryCheck | undefined, counted: readonly SnapshotFact[]): Reading[] {
  if (check === undefined) return []
  const { began, time, record } = check
  return counted
    .filter(({ arrived }) => arrived !== undefined && arrived.seq < record.seq && arrived.time <= began)
    .map((read) => ({ at: time.getTime(), upTo: Math.min(time.getTime(), read.time.getTime()), record }))
}

/** A compared restore, or a recovery that was checked, read the snapshot that it restored, where that is one of those that count. */
function readByRestores(part: DataEvidence, repository: string, counted: readonly SnapshotFact[]): Reading[] {
  const restores = part.restores.filter(({ record, verifiedFiles }) => record?.repository === repository && verifiedFiles > 0)
  const recoveries = part.recoveries
    .filter(isProof)
    .flatMap(({ time, restored = [], record }) =>
      restored
        .filter((one) => one.repository === repository && one.service === part.service && one.source === part.kind)
        .map(({ snapshot }) => ({ time, snapshot, record })),
    )
  const byId = new Map(counted.flatMap((one) => [one.snapshot, ...(one.formerIds ?? [])].map((id) => [id, one])))
  return [...restores, ...recoveries].flatMap(({ time, snapshot, record }): Reading[] => {
    const read = byId.get(snapshot)
    return read === undefined ? [] : [{ at: time.getTime(), upTo: Math.min(time.getTime(), read.time.getTime()), record }]
  })
}
