/** Something a preflight found. `blocker`: what was asked for would fail or do harm, so it does not begin. */
export interface Finding {
  readonly severity: 'blocker' | 'warning'
  readonly code: string
  /** A lowercase sentence. */
  readonly message: string
  readonly hint?: string
}

/** The message a lowercase sentence. */
export function blocker(code: string, message: string, hint?: string): Finding {
  return { severity: 'blocker', code, message, ...(hint === undefined ? {} : { hint }) }
}
