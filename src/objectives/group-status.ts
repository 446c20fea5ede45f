import { commonPoint } from './common-point.ts'
import type { DataEvidence } from './evidence.ts'
import { clockToleranceMs } from './objective-status.ts'
import type { ServiceStatus } from './service-status.ts'
import { verdictOf, type Basis, type Verdict } from './verdict.ts'

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

/** How much is lost when all members of a group come back to one point. */
export interface GroupStatus {
  readonly declaredMs: number
  readonly allowedSpreadMs?: number
  /** The oldest of the states that they come back to. */
  readonly recoverableTo?: Date
  readonly actualMs?: number
  /** From the oldest of these states to the newest. */
  readonly spreadMs?: number
  /** The member whose state it is. */
  readonly worst?: string
  /** Members that have a newer state than that, and go back with the others. */
  readonly goBack: readonly string[]
  readonly basis: Basis
  readonly verdict: Verdict
  readonly because:
    | 'within-objective'
    | 'near-objective'
    | 'above-objective'
    | 'too-far-apart'
    | 'not-known-of-all'
    | 'not-proven-of-all'
  /** Members of which no state is known. */
  readonly unknown: readonly string[]
}

const basisOrder: readonly Basis[] = ['measured', 'stale', 'estimated', 'unknown']

/**
 * A group's recovery point is that of its worst member. Where the states may only be so far apart, it is the newest point at which they are no further:
 * older, where one member's backups do not fall together with the others'. A member of which nothing is known leaves it unknown.
 */
export function groupStatus({ members, rpoMs, spreadMs: allowed, now }: GroupQuestion): GroupStatus {
  const limit = now.getTime() + clockToleranceMs
  const unknown = members
    .filter(({ data, status }) => data.length === 0 || status.recoverableTo === undefined)
    .map(({ service }) => service)
  const bases = members.map(({ status }) => status.rpo.basis).toSorted((a, b) => basisOrder.indexOf(a) - basisOrder.indexOf(b))
  const about = {
    declaredMs: rpoMs,
    ...(allowed === undefined ? {} : { allowedSpreadMs: allowed }),
    basis: bases.at(-1) ?? 'unknown',
    unknown,
  }
  const nothing = { ...about, goBack: [] }
  if (unknown.length > 0 || members.length === 0)
    return { ...nothing, basis: 'unknown', verdict: 'unknown', because: 'not-known-of-all' }
  const point = commonPoint(
    members.flatMap(({ data }) => data),
    limit,
    allowed,
  )
  if (point === undefined) return { ...nothing, verdict: 'missed', because: 'too-far-apart' }
  const actualMs = Math.max(0, now.getTime() - point.time.getTime())
  const known = verdictOf(actualMs, rpoMs)
  const latest = point.time.getTime() + point.spreadMs
  return {
    ...about,
    recoverableTo: point.time,
    actualMs,
    spreadMs: point.spreadMs,
    worst: members.find(({ data }) => data.includes(point.worst))?.service ?? point.worst.service,
    goBack: members.filter(({ status }) => (status.recoverableTo?.getTime() ?? 0) > latest).map(({ service }) => service),
    ...judged(known, members),
  }
}

function judged(known: 'met' | 'at-risk' | 'missed', members: readonly GroupMember[]): Pick<GroupStatus, 'verdict' | 'because'> {
  if (known === 'missed') return { verdict: 'missed', because: 'above-objective' }
  // A member may have lost more than it may by itself, and the group still less than it may: only doubts count here.
  if (members.some(({ status: { rpo } }) => rpo.basis !== 'measured')) return { verdict: 'at-risk', because: 'not-proven-of-all' }
  return known === 'met' ? { verdict: 'met', because: 'within-objective' } : { verdict: 'at-risk', because: 'near-objective' }
}
