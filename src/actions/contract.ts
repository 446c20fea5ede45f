import type { z } from 'zod'
import type { Catalog, Secret, SecretRef } from '../catalog/index.ts'
import type { Clock, Finding, Json } from '../kernel/index.ts'
import type { FetcherOptions } from '../postgres/index.ts'
import type { Repository } from '../repository/index.ts'

export type { Finding } from '../kernel/index.ts'

/**
 * What a step does to the world. `reversible` steps with an undo are undone in reverse order when a later step fails; after a
 * `point-of-no-return` a run only goes forward.
 */
export type Effect = 'read-only' | 'reversible' | 'point-of-no-return'

/**
 * How far a step reaches. `local`: what the run made itself, and looking at this machine. `hosts`: those, as `name` or `name:port`, and
 * nothing else outside. `outside`: anything, or nobody knows.
 */
export type Reach = 'local' | 'outside' | { readonly hosts: readonly string[] }

/** Where a sandbox drill puts what a step makes. */
export interface SandboxPlace {
  /** Absolute; of the whole drill. */
  readonly folder: string
  /** The step's id. */
  readonly step: string
}

/** What a step of a sandbox drill keeps to. */
export interface Sandbox {
  readonly folder: string
  /** False for a step that the drill lets out: it may work outside the folder. */
  readonly confined: boolean
  /** `answered`: nobody is asked; the drill answers, and that is on record. */
  readonly approvals: 'answered' | 'asked'
  /** `own`: the step's commands run in a network namespace of their own, from which nothing can be reached. */
  readonly network: 'own' | 'shared'
}

/**
 * What the real state says about a step, asked before every run of it after the first attempt began, and before it counts as failed.
 * `unknown` stops the run for a decision; it is never taken for one of the others.
 */
export type Probe =
  | { readonly state: 'done'; readonly output?: Json }
  /** `left`: an attempt that failed or was interrupted left something behind, which `undo` takes back. */
  | { readonly state: 'not-done'; readonly left?: true }
  | { readonly state: 'unknown'; readonly because: string }

export const done = (output?: Json): Probe => ({ state: 'done', ...(output === undefined ? {} : { output }) })
export const notDone: Probe = { state: 'not-done' }
export const halfDone: Probe = { state: 'not-done', left: true }
export const unknown = (because: string): Probe => ({ state: 'unknown', because })

/** What an action may see and use. Put together by `service`; actions reach nothing else. */
export interface ActionContext {
  readonly runId: string
  readonly planHash: string
  /** Who started the run: the name of a user. */
  readonly requestedBy: string
  /** The step's id within its plan. */
  readonly step: string
  readonly catalog: Catalog
  readonly clock: Clock
  /** Holdfast's own state, `.holdfast/` beside the catalog. */
  readonly stateDirectory: string
  /** Where a run may put what it makes: sockets, logs. Below the state directory, one per run. */
  readonly runDirectory: string
  /** The name under which other steps of this run are known, for templates like `${steps.restore.dataDirectory}`. */
  readonly outputs: Readonly<Record<string, Json>>
  /** What the run was started with: the recovery target. */
  readonly target: RecoveryTarget
  /** Present in a drill's sandbox. */
  readonly sandbox?: Sandbox
  /** A repository of the catalog by name. The caller disposes it. */
  openRepository(name: string, signal: AbortSignal): Promise<Repository>
  /** What a secret reference leads to; to be revealed only where it is used, never in outputs, messages or journals. */
  resolveSecret(reference: SecretRef, signal: AbortSignal): Promise<Secret>
  /** How PostgreSQL can fetch WAL from a repository of the catalog when this process is gone. */
  fetching(repository: string): Pick<FetcherOptions, 'repository' | 'program'>
  progress(event: ActionProgress): void
}

export type RecoveryTarget =
  | { readonly kind: 'latest' }
  | { readonly kind: 'time'; readonly time: string }
  | { readonly kind: 'lsn'; readonly lsn: string }

/** Something for those who watch; not recorded. */
export interface ActionProgress {
  readonly step: string
  readonly text: string
  readonly doneBytes?: number
  readonly totalBytes?: number
}

/** What a run or an undo of an action gets besides its context. */
export interface Attempt {
  /** Aborts on time-out and cancellation; the action then stops and settles before it throws. */
  readonly signal: AbortSignal
  /** The same for every attempt of the step. */
  readonly idempotencyKey: string
  readonly attempt: number
  /** Larger than that of every earlier run of this environment. */
  readonly fencingToken: number
  /** After which `signal` aborts, counted from the attempt's begin; for limits that another machine must keep. Absent: not known. */
  readonly timeoutMs?: number
}

/** Waits that survive a crash. */
export interface Waits {
  sleep(ms: number): Promise<void>
  /** The signal of that name to this step; undefined when the time is up. Without a time it waits until there is one. */
  waitSignal(name: string, timeoutMs?: number): Promise<Json | undefined>
}

/** How the attempt before this probe ended. After `failed` an action may trust that it failed as a whole. */
export interface ProbeContext {
  readonly signal: AbortSignal
  readonly idempotencyKey: string
  readonly previous: 'none' | 'failed' | 'interrupted'
}

/**
 * What a step of a plan can do.
 *
 * description For those who write plans, in docs/actions.md: a paragraph on what it does, what its outputs are, and what to know before using it.
 * example     Parameters as a catalog would have them, for the same page.
 * preflight   Real, read-only checks before anything begins: existence, credentials, capacity. Steps before it have not run.
 * probe       Reads the real state. Actions without one are asked nothing after a clean failure and are `unknown` after an interruption,
 *             unless they are read-only.
 * wait        Instead of `run`: an action that only waits does so durably, so that a crash neither shortens nor repeats the wait.
 * run         Throws when it failed, once it has settled. Cleans up after its own failure where it can. Throws `outcome-unknown` when it
 *             cannot tell whether it happened: with `retryable`, the probe is asked as after an interruption, and may settle it.
 * undo        Idempotent; takes back what `run` did, and only that. Its idempotency key is the step's.
 * manual      The plain commands that do the same without Holdfast, for the runbook; with the catalog they name its repositories.
 * manualUndo  The plain commands that take it back.
 * reach       How far the step reaches: what a sandbox drill may run. Absent: outside, until somebody has thought about it.
 * inSandbox   The same step with all that it makes in the drill's own folder; `moved` says what it moved, so that steps which name it follow.
 * foreseen    Outputs that are known before it runs, so that the commands of later steps can name them.
 */
export interface Action<Params = unknown> {
  readonly kind: string
  readonly description: string
  readonly example: Readonly<Record<string, Json>>
  readonly effect: Effect | ((params: Params) => Effect)
  readonly params: z.ZodType<Params>
  preflight?(params: Params, context: ActionContext, signal: AbortSignal): Promise<readonly Finding[]>
  probe?(params: Params, context: ActionContext, probe: ProbeContext): Promise<Probe>
  wait?(params: Params, context: ActionContext, waits: Waits): Promise<Json>
  run?(params: Params, context: ActionContext, attempt: Attempt): Promise<Json>
  /** A read-only action that shows nothing of the world, such as a message: a plan of such steps alone checks nothing. */
  readonly isCheck?: false
  /** `canUndo` false: this step's parameters give no way back. Absent: an action with `undo` always can. */
  canUndo?(params: Params): boolean
  undo?(params: Params, output: Json, context: ActionContext, attempt: Attempt): Promise<void>
  manual(params: Params, catalog?: Catalog): readonly string[]
  manualUndo?(params: Params, catalog?: Catalog): readonly string[]
  reach?(params: Params, sandbox: string): Reach
  inSandbox?(params: Params, place: SandboxPlace): InSandbox<Params>
  foreseen?(params: Params): Readonly<Record<string, Json>>
}

export interface InSandbox<Params> {
  readonly params: Params
  /** Paths that the step names, and where they are in the sandbox. */
  readonly moved?: Readonly<Record<string, string>>
}

/** An action whose parameters are checked before they reach it, so that actions of different parameters fit into one list. */
export interface AnyAction {
  readonly kind: string
  readonly description: string
  readonly example: Readonly<Record<string, Json>>
  /** Where the parameters decide: 'as-said'. */
  readonly effect: Effect | 'as-said'
  readonly canUndo: 'always' | 'as-said' | 'never'
  readonly params: z.ZodType
  /** Throws `usage` naming the parameter when they do not fit. */
  bind(params: unknown): BoundAction
}

/** An action with its parameters. */
export interface BoundAction {
  readonly kind: string
  readonly effect: Effect
  readonly canUndo: boolean
  preflight(context: ActionContext, signal: AbortSignal): Promise<readonly Finding[]>
  probe(context: ActionContext, probe: ProbeContext): Promise<Probe>
  /** It looks at the world and says whether it is as it should be. */
  readonly isCheck: boolean
  /** Present for an action that waits instead of running. */
  readonly wait?: (context: ActionContext, waits: Waits) => Promise<Json>
  run(context: ActionContext, attempt: Attempt): Promise<Json>
  undo(output: Json, context: ActionContext, attempt: Attempt): Promise<void>
  manual(catalog?: Catalog): readonly string[]
  /** Empty for an action that does not say. */
  manualUndo(catalog?: Catalog): readonly string[]
  reach(sandbox: string): Reach
  inSandbox(place: SandboxPlace): Required<InSandbox<Json>>
  foreseen(): Readonly<Record<string, Json>>
}
