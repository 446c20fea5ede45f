import type { Json } from '../kernel/index.ts'
import type { ActionCall, Plan, Step } from './types.ts'

/** How a plan is run on purpose. */
export interface Drill {
  /** Below it each sandbox has its own folder; absent: below the run's. */
  readonly directory?: string
  /** By the step's id. */
  readonly substitute: Readonly<Record<string, Substitution>>
  /** What a sandbox drill may reach outside: whole steps, or hosts (`name`, or `name:port`). */
  readonly allow: { readonly steps: readonly string[]; readonly hosts: readonly string[] }
  /** Of a sandbox drill: whether steps that ask a person are answered by the drill. */
  readonly approvals: 'answered' | 'asked'
  /** How long a sandbox drill is good for; absent: none is due. */
  readonly everyMs?: number
  /** How long a live drill is good for; absent: none is due. */
  readonly gamedayEveryMs?: number
  readonly findings: { readonly owner?: string; readonly dueMs: number }
  readonly scenarios: Readonly<Record<string, string>>
}

/** What a sandbox drill does instead of a step. Exactly one of `with`, `do` and `skip`, or a `check` alone. */
export interface Substitution {
  /** Parameters that take the place of the step's own of the same names. */
  readonly with?: Readonly<Record<string, Json>>
  readonly do?: ActionCall
  /** Why it is left out. */
  readonly skip?: string
  readonly check?: NonNullable<Step['check']>
}

const dayMs = 86_400_000

const unsaid: Drill = {
  substitute: {},
  allow: { steps: [], hosts: [] },
  approvals: 'answered',
  everyMs: 31 * dayMs,
  gamedayEveryMs: 92 * dayMs,
  findings: { dueMs: 14 * dayMs },
  scenarios: {},
}

/** How a plan is drilled, also where it does not say: monthly in a sandbox, quarterly for real. */
export function drillOf({ drill }: Pick<Plan, 'drill'>): Drill {
  return drill ?? unsaid
}
