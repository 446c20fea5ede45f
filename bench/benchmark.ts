import type { Spread } from './measure.ts'

export interface Figure {
  readonly what: string
  readonly unit: string
  readonly value: Spread
  /** At most, in the same unit. */
  readonly goal?: number
  /** At least, in the same unit. */
  readonly atLeast?: number
}

/** Something worth measuring. Every benchmark is in the list of bench/main.ts. */
export interface Benchmark {
  readonly name: string
  readonly about: string
  /** What it measures beside Holdfast, with versions and settings, a line each. */
  versions?(): Promise<readonly string[]>
  /** Measures everything as many times as asked. Throws when what was measured did not do its work. */
  measure(rounds: number): Promise<readonly Figure[]>
}
