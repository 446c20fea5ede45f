import { isFutureDated, parseTime, type Nanoseconds, type Snapshot } from '../../repository/index.ts'
import { before, periodOf } from './calendar.ts'
import { isEmptySpan, periods, type CalendarSpan, type CountRule, type KeepRules, type Period } from './rules.ts'

/** Why a snapshot is kept. */
export type KeepReason =
  /** The newest of its period, while the rule still counted. `oldest`: the group is shorter than the rule, and this is its end. */
  | { readonly rule: CountRule; readonly oldest?: true }
  | { readonly rule: 'within'; readonly span: CalendarSpan }
  | { readonly rule: `within-${Period}`; readonly span: CalendarSpan; readonly oldest?: true }
  | { readonly rule: 'tags'; readonly tags: readonly string[] }
  /** Dated by a clock that ran ahead: nothing can be said of its age, so it is neither counted nor removed. */
  | { readonly rule: 'future' }

/** Why a rule does not keep a snapshot. */
export type PassReason =
  /** `by` is the newer snapshot that stands for the same period. */
  | { readonly rule: CountRule | `within-${Period}`; readonly because: 'same-period'; readonly by: string }
  /** The rule has kept as many as it may. */
  | { readonly rule: CountRule; readonly because: 'count-reached' }
  | { readonly rule: 'within' | `within-${Period}`; readonly because: 'too-old' }
  | { readonly rule: 'tags'; readonly because: 'other-tags' }

/** What becomes of one snapshot. One that is removed has no reasons to keep it, and every rule says why. */
export interface Decision {
  readonly snapshot: Snapshot
  readonly keep: boolean
  readonly reasons: readonly KeepReason[]
  readonly passedOver: readonly PassReason[]
}

interface Verdicts {
  readonly reasons: KeepReason[]
  readonly passedOver: PassReason[]
}

type Rule = (snapshot: Snapshot, number: number, verdicts: Verdicts) => void

/**
 * Decides over one group of snapshots, as restic does since 0.16; the newest comes first in the result. A function of its arguments alone,
 * besides the local zone (see `before`). Snapshots dated after `nowMs` are kept and stand outside: no rule sees them.
 */
export function applyPolicy(snapshots: readonly Snapshot[], rules: KeepRules, nowMs: number): Decision[] {
  const isFuture = (snapshot: Snapshot) => isFutureDated(snapshot, nowMs)
  const sorted = snapshots
    .map((snapshot) => ({ snapshot, time: parseTime(snapshot.time) ?? 0n }))
    .toSorted((a, b) => (a.time === b.time ? (a.snapshot.id < b.snapshot.id ? -1 : 1) : a.time > b.time ? -1 : 1))
    .map(({ snapshot }) => snapshot)
  const judged = sorted.filter((snapshot) => !isFuture(snapshot))
  const active = activeRules(rules, judged)
  const future = sorted
    .filter(isFuture)
    .map((snapshot): Decision => ({ snapshot, keep: true, reasons: [{ rule: 'future' }], passedOver: [] }))
  return [
    ...future,
    ...judged.map((snapshot, number): Decision => {
      const verdicts: Verdicts = { reasons: [], passedOver: [] }
      for (const rule of active) rule(snapshot, number, verdicts)
      return { snapshot, keep: verdicts.reasons.length > 0, ...verdicts }
    }),
  ]
}

/** The rules that say anything, to be asked of the snapshots from the newest to the oldest. */
function activeRules({ counts = {}, within, withinPeriod = {}, tags = [] }: KeepRules, judged: readonly Snapshot[]): Rule[] {
  const newest = judged[0]?.time ?? ''
  const last = judged.length - 1
  const active: Rule[] = []
  if (tags.length > 0) active.push(tagRule(tags))
  if (within && !isEmptySpan(within)) active.push(withinRule(within, before(newest, within)))
  for (const rule of ['last', ...periods] as const) {
    const count = counts[rule] ?? 0
    if (count > 0) active.push(countRule(rule, count, last))
  }
  for (const period of periods) {
    const span = withinPeriod[period]
    if (span && !isEmptySpan(span)) active.push(withinPeriodRule(period, span, before(newest, span), last))
  }
  return active
}

function tagRule(lists: readonly (readonly string[])[]): Rule {
  return ({ tags = [] }, _number, { reasons, passedOver }) => {
    const found = lists.filter((list) => hasTags(tags, list))
    for (const list of found) reasons.push({ rule: 'tags', tags: list })
    if (found.length === 0) passedOver.push({ rule: 'tags', because: 'other-tags' })
  }
}

function withinRule(span: CalendarSpan, after: Nanoseconds): Rule {
  return ({ time }, _number, { reasons, passedOver }) => {
    if (isAfter(time, after)) reasons.push({ rule: 'within', span })
    else passedOver.push({ rule: 'within', because: 'too-old' })
  }
}

function countRule(rule: CountRule, count: number, last: number): Rule {
  let left = count
  let kept: { period: string; by: string } | undefined
  return ({ id, time }, number, { reasons, passedOver }) => {
    const period = periodOf(rule, time, number)
    const isSame = kept?.period === period
    if (left > 0 && (!isSame || number === last)) {
      kept = { period, by: id }
      left--
      reasons.push({ rule, ...(isSame && { oldest: true }) })
    } else if (kept !== undefined && isSame) passedOver.push({ rule, because: 'same-period', by: kept.by })
    else passedOver.push({ rule, because: 'count-reached' })
  }
}

function withinPeriodRule(period: Period, span: CalendarSpan, after: Nanoseconds, last: number): Rule {
  const rule = `within-${period}` as const
  let kept: { period: string; by: string } | undefined
  return ({ id, time }, number, { reasons, passedOver }) => {
    const own = periodOf(period, time, number)
    const isSame = kept?.period === own
    if (!isAfter(time, after)) passedOver.push({ rule, because: 'too-old' })
    else if (kept === undefined || !isSame || number === last) {
      kept = { period: own, by: id }
      reasons.push({ rule, span, ...(isSame && { oldest: true }) })
    } else passedOver.push({ rule, because: 'same-period', by: kept.by })
  }
}

function isAfter(time: string, instant: Nanoseconds): boolean {
  return (parseTime(time) ?? 0n) > instant
}

/** All of the list; the empty tag is that of snapshots without any. */
export function hasTags(tags: readonly string[], list: readonly string[]): boolean {
  return (list.includes('') && tags.length === 0) || list.every((tag) => tags.includes(tag))
}
