import type { Json } from '../kernel/index.ts'
import type { Drill } from './drill.ts'
import type { Detection } from './observation.ts'

export interface Plan {
  readonly name: string
  readonly description?: string
  /** Services. */
  readonly recovers: readonly string[]
  /** One run at a time in an environment; the catalog's name unless the plan says otherwise. */
  readonly environment: string
  /** Somebody else than who started the run must approve it before anything begins. */
  readonly fourEyes: boolean
  /** When all else is done, a person says that it counts; `else` when nobody has. */
  readonly commit?: { readonly withinMs: number; readonly else: 'undo' | 'commit' | 'ask' }
  /** How many steps of a group may run at once. */
  readonly groups: Readonly<Record<string, number>>
  /** Parameters that have no default: only a plan that gives them can use this one. */
  readonly openParams: readonly string[]
  readonly detection?: Detection
  /** Services, and entries of `external`, that a run of it needs; those of the plans that it uses come after its own. */
  readonly needs: readonly string[]
  /** For people, shown before a run; with those of the plans that it uses. */
  readonly prerequisites: readonly string[]
  /** `after` gives the order. Steps of plans that are used as a step stand here themselves, as ID/STEP. Never empty. */
  readonly steps: readonly Step[]
  /** Plans whose steps are among these, directly or through others. */
  readonly uses: readonly string[]
  /** Absent: see drillOf. */
  readonly drill?: Drill
}

/** An action by name, with its parameters as written: references to secrets and to outputs of steps are still references. */
export interface ActionCall {
  readonly kind: string
  readonly params: Json
}

export interface Step {
  readonly id: string
  readonly description?: string
  readonly do: ActionCall
  /** Steps of the same plan that must be done before; `commit` stands for the plan's commit window. */
  readonly after: readonly string[]
  /** Only when all of these hold. */
  readonly when: readonly Condition[]
  /** One of the plan's `groups`. */
  readonly group?: string
  /** For each attempt. */
  readonly timeoutMs: number
  readonly retry: RetryPolicy
  readonly check?: StepCheck
  /** Instead of the action's own undo. */
  readonly undo?: ActionCall
  /** Instead of all that when the source site cannot be reached. */
  readonly disaster?: DisasterForm
  /**
   * `undo`: what is done so far is taken back. `stop`: the run ends and all stays. `continue`: the plan goes on without it. `ask`: a person
   * decides.
   */
  readonly onFailure: 'undo' | 'stop' | 'continue' | 'ask'
}

/** What a reference to the output of an earlier step becomes, and what it must be or must not be. */
export type Condition = { readonly value: Json } & ({ readonly equals: Json } | { readonly notEquals: Json })

/** Asked again and again after the action until it passes, or its own time is up. */
export type StepCheck = ActionCall & { readonly everyMs: number; readonly timeoutMs: number }

export type DisasterForm =
  | { readonly skip: string }
  | {
      readonly do: ActionCall
      readonly check?: StepCheck
      readonly undo?: ActionCall
      readonly timeoutMs: number
    }

export interface RetryPolicy {
  /** 1 means: no second attempt. */
  readonly attempts: number
  readonly backoffMs: number
  readonly factor: number
  readonly maxBackoffMs: number
}
