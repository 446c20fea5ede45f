/** One thing that is wrong with a catalog, and where. `line` and `column` count from 1. */
export interface CatalogProblem {
  readonly code: CatalogProblemCode
  readonly file: string
  readonly line: number
  readonly column: number
  /** A lowercase sentence; never holds a secret. */
  readonly message: string
  readonly expected?: string
  readonly hint?: string
}

export type CatalogProblemCode =
  | 'not-text'
  | 'too-large'
  | 'empty'
  | 'syntax'
  | 'duplicate-key'
  | 'bad-key'
  | 'duplicate-anchor'
  | 'unknown-anchor'
  | 'alias-loop'
  | 'ambiguous-number'
  | 'unknown-key'
  | 'missing'
  | 'wrong-type'
  | 'wrong-value'
  | 'unit-missing'
  | 'wrong-unit'
  | 'plain-secret'
  | 'unknown-action'
  | 'unknown-fault'
  | 'unknown-reference'
  | 'duplicate-id'
  | 'duplicate-entry'
  | 'code-failed'
  | 'include-missing'
  | 'include-outside'
  | 'include-cycle'
  | 'dependency-cycle'
  | 'step-cycle'
  | 'plan-cycle'

/** Something in a valid catalog that will hurt on the day. `code` is a lint's. */
export interface CatalogWarning extends Omit<CatalogProblem, 'code'> {
  readonly code: string
  /** Why it is left so, where somebody has accepted it. */
  readonly accepted?: { readonly because: string; readonly by: string; readonly until: string }
}
