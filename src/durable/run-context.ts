import type { Clock, Json } from '../kernel/index.ts'

/** The body of a run. Called again from its beginning after every crash, so whatever it does goes through the context. */
export type RunHandler = (context: RunContext, input: Json) => Promise<Json>

export interface StepAttempt {
  /** Aborts when the attempt has timed out or the step is stopped. The attempt must end soon after; nothing goes on until it has. */
  readonly signal: AbortSignal
  /** The same for every attempt of this step of this run. */
  readonly idempotencyKey: string
  /** 1 for the first; attempts that a crash interrupted count. */
  readonly attempt: number
  /** How the attempt before this one ended. `interrupted`: by a crash or a timeout, so nobody knows how far it came. */
  readonly previous: 'none' | 'failed' | 'interrupted'
}

export interface RetryPolicy {
  /** Failed attempts before the step has failed. Attempts cut off by a crash are not failures. */
  readonly attempts: number
  readonly delayMs: number
  /** Each delay is this many times the one before; 1 keeps them equal. */
  readonly factor: number
  readonly maxDelayMs: number
  /** False for errors that another attempt cannot mend. Default: every error is tried again. */
  readonly mayRetry?: (error: unknown) => boolean
}

export interface StepOptions {
  /** For each attempt. */
  readonly timeoutMs?: number
  readonly retry?: RetryPolicy
  /** Stops the step: the attempt is aborted and settles, and the step fails with the signal's reason. */
  readonly stop?: AbortSignal
  /** Goes on although the run was cancelled: undo steps, and all that follows a point of no return. */
  readonly shielded?: boolean
  /** Neither `stop` nor a cancellation cuts an attempt short; they only keep the next one from starting. */
  readonly uninterruptible?: boolean
}

/**
 * What the handler of a run may do. Names (`id`, `name`, `environment`) are unique within the run and the same every time the handler
 * runs; they, not the order of calls, say what has been done before, so branches may run in parallel.
 *
 * clock       Two of its times can be subtracted, also across a crash on one boot of the machine, whatever becomes of the wall clock.
 * step        Runs `body` once, durably: its result is recorded before it is returned. Throws what the last attempt threw, as recorded.
 *             A step that was stopped or cancelled throws `run-cancelled` with `details.started`: whether an attempt had begun.
 * all         Runs branches in parallel and waits until every one has settled, then throws the first branch's error, if any.
 * waitSignal  The value of a signal, or undefined when `timeoutMs` has passed since the wait first began, also across crashes.
 * sleep       Until `ms` after it first began, also across crashes.
 * now         The time when it was first asked.
 * withLock    One run at a time per environment. The token is larger than every earlier one: whatever can compare tokens should refuse a
 *             smaller one. An interrupted run keeps its locks until it is resumed or aborted: `run-busy`.
 * note        Records an event for those who watch, once.
 *
 * A cancelled run shows itself as `run-cancelled` with `details.cancelled: true`, thrown by every step, wait and sleep that is not shielded and not yet recorded.
 */
export interface RunContext {
  readonly runId: string
  readonly clock: Clock
  step(id: string, body: (attempt: StepAttempt) => Promise<Json>, options?: StepOptions): Promise<Json>
  all<T>(branches: readonly (() => Promise<T>)[]): Promise<T[]>
  waitSignal(
    name: string,
    options?: { readonly timeoutMs?: number; readonly shielded?: boolean; readonly stop?: AbortSignal },
  ): Promise<Json | undefined>
  sleep(id: string, ms: number, options?: { readonly shielded?: boolean; readonly stop?: AbortSignal }): Promise<void>
  now(id: string): Promise<Date>
  withLock<T>(environment: string, body: (fencingToken: number) => Promise<T>): Promise<T>
  note(id: string, body: Json): Promise<void>
}
