import type { HoldfastError, Json } from '../kernel/index.ts'
import type { FailureRecord } from './failure.ts'
import type { RunEvent } from './events.ts'
import type { RunHandler } from './run-context.ts'

/** What a run is bound to for its whole life. */
export interface RunSpec {
  /** Letters, digits, '-', '_' and '.'; it names a folder. */
  readonly runId: string
  readonly planHash: string
  readonly codeVersion: string
  /** All that the run's handler needs to start over from its journal: no secrets, under 1 MB. */
  readonly input: Json
}

/** What is expected of a run before it goes on: a plan that was changed meanwhile must not continue an old run. */
export type RunBinding = Pick<RunSpec, 'planHash' | 'codeVersion'>

export type RunResult =
  | { readonly state: 'completed'; readonly value: Json }
  /** The handler itself threw: a defect, or a machine that failed under it. A plan that failed is a value. */
  | { readonly state: 'failed'; readonly error: FailureRecord }

/** `waiting`: alive, and at least one wait for a signal is open. `interrupted`: not ended, and no live process works on it. */
export type RunState = 'running' | 'waiting' | 'interrupted' | 'completed' | 'failed'

export interface RunView extends RunSpec {
  readonly state: RunState
  readonly submittedAt: string
  readonly endedAt?: string
  /** Open waits, also those of an interrupted run. */
  readonly waitingFor: readonly { readonly name: string; readonly untilMs?: number }[]
  readonly cancelRequested?: string
  readonly result?: RunResult
  /** The process that works on it. */
  readonly owner?: { readonly pid: number; readonly host: string }
  readonly records: number
}

export interface RunFilter {
  readonly state?: RunState
  /** Called for each run whose record cannot be read; without it, one such run fails the whole list. */
  readonly onUnreadable?: (runId: string, error: HoldfastError) => void
  /** How the id begins. */
  readonly prefix?: string
  /** Of those, only so many that were submitted last, of whatever state. */
  readonly newest?: number
}

export interface HistoryOptions {
  /** Wait for more until the run has ended, or the signal aborts. */
  readonly follow?: boolean
}

/**
 * Runs that survive a crash: of the process, the machine, or (another implementation) the site.
 *
 * A run is a handler, deterministic but for what it does through its RunContext, whose steps are recorded. After a crash the handler
 * starts over and gets what was recorded instead of doing it again.
 *
 * - A committed step never runs again. The step in flight may run more than once, with the same idempotency key, and attempts may
 *   overlap: `withLock` gives a fencing token.
 * - A step that timed out or was cancelled has settled before the handler goes on: its undo never overlaps it.
 * - Results stay under 1 MB (`result-too-large`); larger ones are stored elsewhere and referred to.
 * - Another plan hash or code version refuses to go on (`plan-changed`).
 *
 * submit         starts a run and returns once it is durable. Idempotent: the same id and plan again does nothing, another plan is refused.
 * attach         the result, once there is one. Safe to repeat, also from another process. `run-interrupted` when nobody works on it.
 * status, list   what is recorded, read without disturbing the run; lists begin with what was submitted first. `run-not-found`.
 * history        every event from the first, in order.
 * requestCancel  durable when it returns; the run stops its steps, lets them settle and compensates. For an interrupted run: when resumed.
 * signal         durable when it returns; delivered once, to the wait of that name, whether it has begun or not.
 * resume         goes on with an interrupted run in this process; `run-busy` when another one works on it. A run that ended: nothing.
 * dispose        lets go of this process's runs: their steps are stopped and settled, nothing is compensated, they can be resumed.
 *
 * Every implementation passes test/conformance/durable.ts.
 */
export interface DurableEngine extends AsyncDisposable {
  submit(spec: RunSpec): Promise<void>
  attach(runId: string, signal?: AbortSignal): Promise<RunResult>
  status(runId: string): Promise<RunView>
  list(filter?: RunFilter): Promise<RunView[]>
  history(runId: string, options?: HistoryOptions, signal?: AbortSignal): AsyncIterable<RunEvent>
  requestCancel(runId: string, reason: string): Promise<void>
  signal(runId: string, name: string, value: Json): Promise<void>
  resume(runId: string, binding: RunBinding): Promise<void>
}

export type { RunHandler }
