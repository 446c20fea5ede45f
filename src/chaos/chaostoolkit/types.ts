import type { Json } from '../../kernel/index.ts'

/** An experiment of Chaos Toolkit, as its file says it (https://chaostoolkit.org/reference/api/experiment/). */
export interface CtkExperiment {
  readonly title: string
  readonly description: string
  readonly method: readonly CtkActivity[]
  readonly 'steady-state-hypothesis'?: CtkHypothesis
  readonly rollbacks?: readonly CtkActivity[]
  readonly configuration?: Readonly<Record<string, Json>>
  readonly secrets?: Readonly<Record<string, Readonly<Record<string, Json>>>>
  readonly controls?: readonly CtkControl[]
  readonly runtime?: {
    readonly rollbacks?: { readonly strategy?: string }
    readonly hypothesis?: { readonly strategy?: string }
  }
  readonly [other: string]: unknown
}

export interface CtkHypothesis {
  readonly title: string
  readonly probes?: readonly CtkActivity[]
}

export interface CtkActivity {
  readonly type: 'probe' | 'action'
  readonly name: string
  readonly provider: CtkProvider
  /** Instead of all else: the activity of that name. */
  readonly ref?: string
  readonly tolerance?: Json
  readonly background?: boolean
  /** Seconds, or a whole `${variable}`. */
  readonly pauses?: { readonly before?: Json; readonly after?: Json }
  readonly controls?: readonly CtkControl[]
  readonly dry?: Json
  readonly [other: string]: unknown
}

export type CtkProvider =
  | { readonly type: 'process'; readonly path: string; readonly arguments?: Json; readonly timeout?: number }
  | {
      readonly type: 'http'
      readonly url: string
      readonly method?: string
      readonly headers?: Readonly<Record<string, Json>>
      readonly arguments?: Json
      readonly timeout?: Json
      readonly verify_tls?: boolean
      readonly max_retries?: number
    }
  | {
      readonly type: 'python'
      readonly module: string
      readonly func: string
      readonly arguments?: Readonly<Record<string, Json>>
      readonly secrets?: readonly string[]
    }

export interface CtkControl {
  readonly name: string
  readonly provider: { readonly type: string; readonly module?: string; readonly arguments?: Readonly<Record<string, Json>> }
  readonly automatic?: boolean
}

/** One activity that was played. `status` is absent while it runs, and when it was cut off. Durations are seconds. */
export interface CtkRun {
  readonly activity: CtkActivity
  output: Json
  readonly start: string
  end?: string
  duration?: number
  status?: 'succeeded' | 'failed'
  exception?: string[]
  tolerance_met?: boolean
}

/** What a provider gives. */
export interface CtkAnswer {
  readonly output: Json
  /** How many objects an action acted on, where that is known: with none, it shows nothing. */
  readonly acted?: number
}

export interface CtkSteadyState {
  steady_state_met: boolean | null
  probes: CtkRun[]
}

export interface CtkJournal {
  readonly 'chaoslib-version': string
  readonly platform: string
  readonly node: string
  readonly experiment: CtkExperiment
  readonly start: string
  end?: string
  duration?: number
  status: 'completed' | 'failed' | 'aborted' | 'interrupted' | null
  deviated: boolean
  readonly steady_states: { before: CtkSteadyState | null; after: CtkSteadyState | null; readonly during: CtkSteadyState[] }
  run: CtkRun[]
  rollbacks: CtkRun[]
}

export const hypothesisStrategies = [
  'default',
  'before-method-only',
  'after-method-only',
  'during-method-only',
  'continuously',
  'skip',
] as const
export type HypothesisStrategy = (typeof hypothesisStrategies)[number]

export const rollbackStrategies = ['default', 'always', 'never', 'deviated'] as const
export type RollbackStrategy = (typeof rollbackStrategies)[number]

export const dryKinds = ['probes', 'actions', 'activities', 'pause'] as const
export type DryKind = (typeof dryKinds)[number]

/** Values of the configuration, and of each scope of secrets, when the experiment begins. */
export interface CtkVariables {
  readonly configuration: Readonly<Record<string, Json>>
  readonly secrets: Readonly<Record<string, Readonly<Record<string, Json>>>>
}

/** What an activity throws that could not do what it is for: data of the journal, not a failure of this program. */
export class ActivityFailed extends Error {
  override readonly name = 'ActivityFailed'
}
