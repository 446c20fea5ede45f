import type { Json } from '../kernel/index.ts'
import type { SecretRef } from './types.ts'

/** One way to see whether something is well. */
export type Probe = { readonly timeoutMs: number } & (
  | { readonly kind: 'http'; readonly url: string; readonly status: number }
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number }
  /** A row is well, unless its first column is false. */
  | { readonly kind: 'sql'; readonly sql: string; readonly url: string | SecretRef }
  | { readonly kind: 'command'; readonly command: readonly [string, ...string[]] }
  /** `sql` gives the time of the newest heartbeat. */
  | { readonly kind: 'heartbeat'; readonly sql: string; readonly url: string | SecretRef; readonly maxAgeMs: number }
)

/** A process at another site that looks whether services are well. */
export interface Observer {
  readonly name: string
  readonly site: string
  /** How its reports reach whoever decides. */
  readonly report:
    | { readonly kind: 'repository'; readonly repository: string }
    | { readonly kind: 'http'; readonly url: string; readonly token: SecretRef }
  /** Something unrelated: an observer that does not reach that either is blind. */
  readonly reference?: Probe
  readonly description?: string
}

export interface Detection {
  readonly symptoms: readonly string[]
  /** How many of how many observers must agree. */
  readonly quorum?: { readonly needed: number; readonly of: number }
  /** How long the symptoms must hold. */
  readonly forMs?: number
  readonly decide: 'ask' | 'auto'
  /** Parameters of the action `notify`: whom to tell when it is down and nothing is started by itself. */
  readonly notify: readonly { readonly [parameter: string]: Json }[]
  /** Where deciders claim an incident before they act on it; absent: there is only one. */
  readonly claims?: DeciderClaims
  /** Present when observers watch for it. */
  readonly watch?: DetectionWatch
}

export interface DeciderClaims {
  readonly repository: string
  /** A claim whose run has not begun by then is taken over. */
  readonly expireMs: number
}

/** What observers look at, and when what they see counts. */
export interface DetectionWatch {
  /** Never empty. */
  readonly probes: readonly Probe[]
  /** Whether one failing probe is a symptom, or only all of them together. */
  readonly failing: 'any' | 'all'
  /** Names; never empty. None is at the site of a service that the plan recovers, and no two are at one site. */
  readonly observers: readonly string[]
  /** Of the observers: from 1 to all. */
  readonly needed: number
  readonly everyMs: number
  readonly forMs: number
  /** After a run of the plan. */
  readonly quietMs: number
}
