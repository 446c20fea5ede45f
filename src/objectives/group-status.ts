import { commonPoint, type CommonPoint } from './common-point.ts'
import type { DataEvidence } from './evidence.ts'
import { clockToleranceMs } from './objective-status.ts'
import { proofOf } from './proof.ts'
import type { PointDoubt } from './recoverable-point.ts'
import type { ServiceStatus } from './service-status.ts'
import { verdictOf, worstBasis, type Basis, type Verdict } from './verdict.ts'

/** A service of a group, with what is known of it and of the data that it would lose. */
export interface GroupMember {
  readonly service: string
  readonly status: ServiceStatus
  readonly data: readonly DataEvidence[]
}

export interface GroupQuestion {
  readonly members: readonly GroupMember[]
  readonly rpoMs: number
  /** How far apart the states may be; absent: it is not judged. */
  readonly spreadMs?: number
  readonly now: Date
}

export interface MemberTarget {
  readonly service: string
  readonly to: Date | 'latest'
}

/** How much is lost when all members of a group come back to one point. */
export interface GroupStatus {
  readonly declaredMs: number
  readonly allowedSpreadMs?: number
  /** The oldest of the states that they come back to. */
  readonly recoverableTo?: Date
  /** With these as the targets of their recoveries (`recover --to`) the members come back to them. */
  readonly recoverWith: readonly MemberTarget[]
  readonly actualMs?: number
  /** From the oldest of these states to the newest. */
  readonly spreadMs?: number
  /** The member whose state it is. */
  readonly worst?: string
  /** Members with data of which there is a newer state: they go back with the others. */
  readonly goBack: readonly string[]
  /** Of these states: whether such data was brought back and compared. */
  readonly basis: Basis
  readonly verdict: Verdict
  readonly because:
    | 'within-objective'
    | 'near-objective'
    | 'above-objective'
    | 'too-far-apart'
    | 'not-known-of-all'
    | 'not-proven-of-all'
    | PointDoubt
  /** Members of which no state is known. */
  readonly unknown: readonly string[]
  /** Members whose state has the doubt that `because` names. */
  readonly doubtful: readonly string[]
}

/**
 * A group's recovery point is that of its worst member. Where the states may only be so far apart, it is the newest point at which they are no further:
 * older, where one member's backups do not fall together with the others'. A member of which nothing is known leaves it unknown.
 */
export function groupStatus({ members, rpoMs, spreadMs: allowed, now }: GroupQuestion): GroupStatus {
  const unknown = members
    .filter(({ data, status }) => data.length === 0 || status.recoverableTo === undefined)
    .map(({ service }) => service)
  const nothing = {
    declaredMs: rpoMs,
    ...(allowed === undefined ? {} : { allowedSpreadMs: allowed }),
    basis: 'unknown' as const,
    unknown,
    recoverWith: [],
    goBack: [],
    doubtful: [],
  }
  if (unknown.length > 0 || members.length === 0) return { ...nothing, verdict: 'unknown', because: 'not-known-of-all' }
  const all = members.flatMap(({ data }) => data)
  const point = commonPoint(all, now.getTime() + clockToleranceMs, allowed)
  if (point === undefined) return { ...nothing, verdict: 'missed', because: 'too-far-apart' }
  const actualMs = Math.max(0, now.getTime() - point.worst.time.getTime())
  return {
    ...nothing,
    recoverableTo: point.worst.time,
    recoverWith: members.map((member) => ({ service: member.service, to: targetOf(member, point) })),
    actualMs,
    spreadMs: point.spreadMs,
    worst: members.find(({ data }) => data.includes(point.worst.part))?.service ?? point.worst.part.service,
    goBack: members
      .filter(({ data }) => point.states.some(({ part, isNewest }) => !isNewest && data.includes(part)))
      .map(({ service }) => service),
    ...judged(verdictOf(actualMs, rpoMs), members, point, now),
  }
}

/**
 * PostgreSQL refuses a time behind its archived WAL, and goes no further than to the end of a backup where there is none: its state decides for a member that
 * has other data besides. Files come back to their newest state before the time.
 */
function targetOf({ data }: GroupMember, { states }: CommonPoint): MemberTarget['to'] {
  const own = states.filter(({ part }) => data.includes(part))
  const databases = own.filter(({ part }) => part.kind === 'postgres')
  if (databases.length === 0) return new Date(Math.max(...own.map(({ time }) => time.getTime())))
  if (databases.every(({ byWal, isNewest }) => isNewest && !byWal)) return 'latest'
  return new Date(Math.min(...databases.map(({ time }) => time.getTime())))
}

/** A member may have lost more than it may by itself, and the group still less than it may: only doubts count here. */
function judged(
  known: 'met' | 'at-risk' | 'missed',
  members: readonly GroupMember[],
  { states }: CommonPoint,
  now: Date,
): Pick<GroupStatus, 'verdict' | 'because' | 'basis' | 'doubtful'> {
  const basis = worstBasis(states.map(({ part, byWal }) => proofOf(part, byWal, now).basis))
  const found = { basis, doubtful: [] }
  if (known === 'missed') return { ...found, verdict: 'missed', because: 'above-objective' }
  if (basis !== 'measured') return { ...found, verdict: 'at-risk', because: 'not-proven-of-all' }
  const doubt = states.find((state) => state.doubt !== undefined)?.doubt
  if (doubt !== undefined) {
    const parts = new Set(states.filter((state) => state.doubt === doubt).map(({ part }) => part))
    const doubtful = members.filter(({ data }) => data.some((part) => parts.has(part))).map(({ service }) => service)
    return { basis, doubtful, verdict: 'at-risk', because: doubt }
  }
  return known === 'met'
    ? { ...found, verdict: 'met', because: 'within-objective' }
    : { ...found, verdict: 'at-risk', because: 'near-objective' }
}
