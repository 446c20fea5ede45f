import type { Json } from '../kernel/index.ts'
import type { SecretRef } from './types.ts'

/** What must be true of a system that is well, as data: probes, and how far each may be off. */
export interface Hypothesis {
  readonly title: string
  /** The cadence of samples. */
  readonly everyMs: number
  /** How long it must hold before a fault, and again after the clean-up. */
  readonly beforeMs: number
  readonly afterMs: number
  /** Never empty. */
  readonly probes: readonly HypothesisProbe[]
}

export interface HypothesisProbe {
  /** Unique within its experiment. */
  readonly name: string
  readonly measure: Measure
  /** For one look. */
  readonly timeoutMs: number
  readonly tolerance: Tolerance
}

/** What a probe looks at. Each look gives one value, and a text in which more can be found. */
export type Measure =
  /** Value: the status. Text: the body. */
  | { readonly kind: 'http'; readonly url: string; readonly headers: Readonly<Record<string, string | SecretRef>> }
  /** Value: true when a connection is accepted. */
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number }
  /** Value: the first column of the first row, a number where it reads as one. Text: all rows as JSON. */
  | { readonly kind: 'sql'; readonly sql: string; readonly url: string | SecretRef }
  /** Value: the exit code. Text: what it printed on stdout. */
  | { readonly kind: 'command'; readonly command: readonly [string, ...string[]] }
  /** Value: how many processes there are whose command line contains this. */
  | { readonly kind: 'process'; readonly commandLine: string }
  /** Value: that of the only series which the query gives. Text: its whole result as JSON. */
  | { readonly kind: 'prometheus'; readonly url: string; readonly query: string }

export type Tolerance = SampleTolerance | WindowTolerance

/** Judged for each look by itself. */
export type SampleTolerance =
  /** Anything but false, null and no value at all. */
  | { readonly kind: 'present' }
  | { readonly kind: 'equals'; readonly value: Json }
  | { readonly kind: 'range'; readonly atLeast?: number; readonly atMost?: number }
  | { readonly kind: 'matches'; readonly pattern: string }
  /** What the path finds in the text, read as JSON. */
  | { readonly kind: 'jsonpath'; readonly path: string; readonly found: JsonpathExpectation }

export type JsonpathExpectation =
  | { readonly kind: 'some' }
  | { readonly kind: 'count'; readonly count: number }
  | { readonly kind: 'each'; readonly of: Extract<SampleTolerance, { readonly kind: 'equals' | 'range' }> }

/** Judged over all looks of a phase; a look that is missing counts against it. */
export type WindowTolerance =
  /** The share of looks, 0 to 1, that are as they must be. */
  | { readonly kind: 'rate'; readonly atLeast: number; readonly of: SampleTolerance }
  /** `percentile` is above 0 and at most 100. A look that failed is slower than any other. */
  | { readonly kind: 'latency'; readonly percentile: number; readonly atMostMs: number }
