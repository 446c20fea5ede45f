import type { Path } from '../finding.ts'
import type { Catalog } from '../types.ts'

/** Something that a valid catalog says, or does not say, that will hurt on the day it is needed. */
export interface Lint {
  /** Stable: what CI and docs/lints.md name it by. */
  readonly code: string
  /** For docs/lints.md: one sentence that says what is found. */
  readonly title: string
  /** What goes wrong where it is left so. */
  readonly why: string
  /** What to write instead, or when it is right to leave it. */
  readonly mend: string
  readonly find: (catalog: Catalog, now: Date) => readonly LintFinding[]
}

export interface LintFinding {
  /** What it is about in the file; where nothing is written there, its nearest parent. */
  readonly path: Path
  readonly message: string
  readonly hint?: string
}
