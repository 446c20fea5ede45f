/** What an exit status means to scripts (docs/exit-codes.md). */
export const exitCodes = {
  done: 0,
  failed: 1,
  usage: 2,
  partlyDone: 3,
  objectiveMissed: 4,
  noRepository: 10,
  locked: 11,
  wrongPassword: 12,
  // verdicts of experiments
  hypothesisFailed: 20,
  inconclusive: 21,
  experimentAborted: 22,
  cleanUpFailed: 23,
  interrupted: 130,
} as const

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes]

/** Every error code, and what it becomes at the edges. The only table of its kind. */
const errorTable = {
  // general
  internal: { exit: 1, http: 500 },
  usage: { exit: 2, http: 400 },
  interrupted: { exit: 130, http: 499 },
  'timed-out': { exit: 1, http: 504 },
  'disk-full': { exit: 1, http: 507 },
  'permission-denied': { exit: 1, http: 403 },
  'not-found': { exit: 1, http: 404 },
  'command-failed': { exit: 1, http: 502 },
  // storage
  'already-exists': { exit: 1, http: 409 },
  'object-missing': { exit: 1, http: 404 },
  'storage-failed': { exit: 1, http: 502 },
  // repository
  'no-repository': { exit: 10, http: 404 },
  'not-a-repository': { exit: 10, http: 404 },
  'repository-exists': { exit: 1, http: 409 },
  'unsupported-repository': { exit: 1, http: 422 },
  'wrong-password': { exit: 12, http: 403 },
  locked: { exit: 11, http: 423 },
  'lock-lost': { exit: 11, http: 423 },
  'pack-damaged': { exit: 1, http: 500 },
  'blob-missing': { exit: 1, http: 500 },
  'object-damaged': { exit: 1, http: 500 },
  'snapshot-not-found': { exit: 1, http: 404 },
  'snapshot-ambiguous': { exit: 2, http: 400 },
  'would-remove-all': { exit: 1, http: 409 },
  'source-unreadable': { exit: 3, http: 500 },
  'target-not-empty': { exit: 1, http: 409 },
  'target-unsafe': { exit: 1, http: 409 },
  'target-is-source': { exit: 1, http: 409 },
  // postgres
  'postgres-not-found': { exit: 1, http: 500 },
  'postgres-unreachable': { exit: 1, http: 502 },
  'postgres-setting': { exit: 1, http: 422 },
  'postgres-failed': { exit: 1, http: 502 },
  'identity-mismatch': { exit: 1, http: 409 },
  'fence-unconfirmed': { exit: 1, http: 409 },
  'replica-behind': { exit: 1, http: 409 },
  'divergence-found': { exit: 1, http: 409 },
  'wal-gap': { exit: 1, http: 409 },
  'slot-lost': { exit: 1, http: 409 },
  'recovery-target': { exit: 2, http: 400 },
  // catalog
  'catalog-invalid': { exit: 2, http: 422 },
  'catalog-not-found': { exit: 2, http: 404 },
  'secret-unavailable': { exit: 1, http: 500 },
  'unknown-service': { exit: 2, http: 404 },
  // journal, durable, recovery
  'journal-damaged': { exit: 1, http: 500 },
  'run-not-found': { exit: 1, http: 404 },
  'run-busy': { exit: 11, http: 423 },
  'run-interrupted': { exit: 1, http: 409 },
  'run-cancelled': { exit: 1, http: 409 },
  'result-too-large': { exit: 1, http: 413 },
  'plan-changed': { exit: 1, http: 409 },
  'preflight-failed': { exit: 1, http: 409 },
  'step-failed': { exit: 1, http: 500 },
  'undo-failed': { exit: 1, http: 500 },
  'outcome-unknown': { exit: 1, http: 500 },
  'approval-refused': { exit: 1, http: 403 },
  'commit-refused': { exit: 1, http: 409 },
  // faults, chaos
  'fault-refused': { exit: 1, http: 409 },
  'fault-failed': { exit: 1, http: 502 },
  'fault-open': { exit: 1, http: 409 },
  'clean-up-failed': { exit: 1, http: 500 },
  'experiment-invalid': { exit: 2, http: 422 },
  // ledger
  'ledger-damaged': { exit: 1, http: 500 },
  'signing-key-unusable': { exit: 1, http: 500 },
} as const satisfies Record<string, { exit: ExitCode; http: number }>

export type ErrorCode = keyof typeof errorTable

/** Whether a text read from a journal or a network names an error of this version. */
export function isErrorCode(text: string): text is ErrorCode {
  return Object.hasOwn(errorTable, text)
}

export interface ErrorParts {
  /** A lowercase sentence without a full stop: what happened, and where. */
  readonly message: string
  /** The next command or action. */
  readonly hint?: string
  readonly cause?: unknown
  /** True when trying the same thing again may succeed. */
  readonly retryable?: boolean
  /** Facts for programs and tests: names, offsets, positions. Never secrets. */
  readonly details?: Readonly<Record<string, unknown>>
}

/** The one error type of Holdfast. Throw it for failure; expected outcomes are data instead. */
export class HoldfastError extends Error {
  override readonly name = 'HoldfastError'
  readonly code: ErrorCode
  readonly hint: string | undefined
  readonly retryable: boolean
  readonly details: Readonly<Record<string, unknown>>

  constructor(code: ErrorCode, { message, hint, cause, retryable = false, details = {} }: ErrorParts) {
    super(message, cause === undefined ? undefined : { cause })
    this.code = code
    this.hint = hint
    this.retryable = retryable
    this.details = details
  }

  get exitCode(): ExitCode {
    return errorTable[this.code].exit
  }

  get httpStatus(): number {
    return errorTable[this.code].http
  }
}

export function isHoldfastError(error: unknown, code?: ErrorCode): error is HoldfastError {
  return error instanceof HoldfastError && (code === undefined || error.code === code)
}

/** The `code` of a Node system error (`ENOENT`, `ENOSPC`, …), if it is one. */
export function systemCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined
  return typeof error.code === 'string' ? error.code : undefined
}

/** What an unknown thrown value says, in one line. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
