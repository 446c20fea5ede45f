import type { Json } from '../kernel/index.ts'
import type { Hypothesis, HypothesisProbe } from './hypothesis.ts'

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
  /** The longest that the steady state may be gone. Absent: it must hold all the time. */
  readonly recoversWithinMs?: number
  readonly recoversFrom: 'fault' | 'clean-up'
  /** One that is not met ends the experiment. */
  readonly abort: readonly HypothesisProbe[]
  /** Of everything up to the clean-up. */
  readonly limitMs: number
  readonly blastRadius: { readonly targets?: number; readonly percent?: number }
  /** How many passes in the environment before it needs. */
  readonly passes: number
}

export interface InjectedFaultEntry {
  /** Of the fault, and its parameters as written. */
  readonly kind: string
  readonly params: Json
  readonly forMs: number
}
