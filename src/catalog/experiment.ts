import type { Json } from '../kernel/index.ts'
import type { Exclusion, TimeRange } from './chaos.ts'
import type { Hypothesis, HypothesisProbe } from './hypothesis.ts'
import type { SecretRef } from './types.ts'

/** Where a failure hurts more and more. An experiment goes from one to the next by passing. */
export const chaosEnvironments = ['dev', 'staging', 'production', 'always-on'] as const
export type ChaosEnvironment = (typeof chaosEnvironments)[number]

/** Something that is broken on purpose, and what must hold meanwhile. */
export interface Experiment {
  readonly name: string
  readonly description?: string
  readonly environment: ChaosEnvironment
  /** Services that it is about; never empty. */
  readonly services: readonly string[]
  readonly hypothesis: Hypothesis
  /** Never empty. */
  readonly faults: readonly InjectedFaultEntry[]
  /** All at once instead of one after the other. */
  readonly together: boolean
  /** The plan that must bring it back. */
  readonly drill?: ExperimentDrill
  readonly canary?: Canary
  /** The longest that the steady state may be gone. Absent: it must hold all the time. */
  readonly recoversWithinMs?: number
  readonly recoversFrom: 'fault' | 'clean-up'
  /** One that is not met ends the experiment. */
  readonly abort: readonly HypothesisProbe[]
  /** Of everything up to the clean-up. */
  readonly limitMs: number
  readonly blastRadius: { readonly targets?: number; readonly percent?: number; readonly exclude?: Exclusion }
  /** When it may run; absent: whenever nothing else forbids it. */
  readonly windows?: readonly TimeRange[]
  /** How many passes in the environment before it needs. */
  readonly passes: number
}

export interface InjectedFaultEntry {
  /** Of the fault, and its parameters as written. */
  readonly kind: string
  readonly params: Json
  readonly forMs: number
  /** `times` is 2 or more; `everyMs` from one injection to the next. */
  readonly repeat?: { readonly times: number; readonly everyMs: number }
}

export interface ExperimentDrill {
  readonly plan: string
  readonly detection: {
    readonly by: 'hypothesis' | 'observers'
    /** By the hypothesis: how long it must not have held. */
    readonly forMs: number
    /** Nobody noticed by then: it has failed. */
    readonly withinMs: number
  }
}

/** Where numbered rows are written while an experiment runs. */
export type Canary = {
  readonly everyMs: number
  readonly timeoutMs: number
  /** The most, in time, that may be lost. */
  readonly losesAtMostMs?: number
} & (
  | { readonly kind: 'sql'; readonly url: string | SecretRef; readonly readUrl: string | SecretRef; readonly table: string }
  | {
      readonly kind: 'command'
      readonly write: readonly [string, ...string[]]
      readonly read: readonly [string, ...string[]]
    }
)
