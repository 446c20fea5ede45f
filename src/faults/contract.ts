import type { z } from 'zod'
import type { Catalog, Secret, SecretRef } from '../catalog/index.ts'
import type { Clock, Finding, Json } from '../kernel/index.ts'
import type { Holder } from './holder/start.ts'

/**
 * What a look at the real thing shows. `partly` and `unknown` are neither a fault that was injected nor one that is gone; `over` is one that was there and
 * has done all that it was told to, such as errors for a time of their own.
 */
export type Sight =
  | { readonly state: 'present' }
  | { readonly state: 'absent' }
  | { readonly state: 'partly' | 'unknown' | 'over'; readonly because: string }

export const present: Sight = { state: 'present' }
export const absent: Sight = { state: 'absent' }
export const partly = (because: string): Sight => ({ state: 'partly', because })
export const over = (because: string): Sight => ({ state: 'over', because })

/** What taking a fault back may use: also in the watchdog and in a sweep, long after who injected it is gone. */
export interface TraceContext {
  /** Of this injection alone: 16 hex digits, the tag of everything that it leaves behind. */
  readonly id: string
  readonly experiment: string
  readonly clock: Clock
  /** For what a fault must keep in files, such as a holder's log. Made for it; removed when the record is closed. It may be on a full disk. */
  readonly folder: string
  resolveSecret(reference: SecretRef, signal: AbortSignal): Promise<Secret>
}

/** What injecting a fault may use besides. */
export interface FaultContext extends TraceContext {
  /** After which nothing may be left of it, on this boot's monotonic clock: what can expire by itself is told to expire then. */
  readonly deadlineMs: number
  /** Absent where there is none: then a fault that names something of it says so. */
  readonly catalog?: Catalog
  /** Kubernetes objects that carry one of these labels are never hit. */
  readonly spare?: readonly (readonly [name: string, value: string])[]
  /** What is to hold it, where that was started ahead. */
  readonly holder?: Holder
  /** 0 to 1, for choosing targets. */
  random(): number
}

/** What is about to be broken, before anything is. */
export interface FaultPlan<Traces> {
  /** Each thing that is hit, in words that say which one of its kind: `process 4711 (postgres)`. None: there is nothing to inject. */
  readonly targets: readonly string[]
  /** How many there were to choose from, for the blast radius. Absent: those that are hit. */
  readonly candidates?: number
  /** All that `look` and `undo` need. It is durable before the injection, so it says where everything will be, not where it was put. */
  readonly traces: Traces
}

/**
 * What ends a fault when everything of Holdfast is dead. `by-itself`: the kernel or a program, at the deadline. `with-holder`: it is held by a
 * process of ours, and goes as soon as that process or whoever injected it dies. `never`: only an undo; the watchdog and the sweeper are there for these.
 */
export type Expiry = 'by-itself' | 'with-holder' | 'never'

/**
 * What an experiment breaks.
 *
 * description  For those who write experiments, in docs/faults.md: a paragraph on what it does and what to know before using it.
 * example      Parameters as a catalog would have them, for the same page.
 * irreversible Nothing takes it back: a killed process stays killed. Such a fault needs an approval and a verified restore point; its `undo` only
 *              ends what would go on, and its `look` never has to find it absent.
 * holder       Of one that a process of ours holds: the module of that process, so that it can be started ahead.
 * preflight    Real, read-only checks: existence, rights, what the kernel can do, foreign state in the way.
 * plan         Chooses the targets and writes down who they are (boot, pid and start time, inode of a network namespace). Changes nothing.
 * inject       Does it, with nothing in the process' own memory: what was planned is all that an undo will know. Throws when it could not; what it
 *              had done by then is undone by the caller. Every program it runs is started with `faultMark`, so that one which outlives its
 *              caller is ended before the undo.
 * look         Reads the real state; never from what inject or undo returned. A target that was replaced meanwhile has nothing of ours: absent.
 * undo         Idempotent, safe beside another undo of the same fault, and possible without any room on a disk. Takes back what carries our tag,
 *              and only that. Processes with our mark have been ended before it is called.
 * manualUndo   The plain commands that take it back, for a person whose Holdfast is gone.
 */
export interface Fault<Params = unknown, Traces = unknown> {
  readonly kind: string
  readonly description: string
  readonly example: Readonly<Record<string, Json>>
  readonly params: z.ZodType<Params>
  readonly traces: z.ZodType<Traces>
  readonly irreversible?: true
  readonly expiry: Expiry
  readonly holder?: () => URL
  preflight?(params: Params, context: FaultContext, signal: AbortSignal): Promise<readonly Finding[]>
  plan(params: Params, context: FaultContext, signal: AbortSignal): Promise<FaultPlan<Traces>>
  inject(params: Params, traces: Traces, context: FaultContext, signal: AbortSignal): Promise<void>
  look(traces: Traces, context: TraceContext, signal: AbortSignal): Promise<Sight>
  undo(traces: Traces, context: TraceContext, signal: AbortSignal): Promise<void>
  manualUndo(traces: Traces, id: string): readonly string[]
}

/** A fault whose parameters and traces are checked before they reach it, so that different faults fit into one list. */
export interface AnyFault {
  readonly kind: string
  readonly description: string
  readonly example: Readonly<Record<string, Json>>
  readonly irreversible: boolean
  readonly expiry: Expiry
  readonly params: z.ZodType
  /** Throws `usage` naming the parameter when they do not fit. */
  bind(params: unknown): BoundFault
  /** From a record. Throws `journal-damaged` when the traces are none of this kind. */
  recall(traces: unknown): RecalledFault
}

/** A fault with its parameters. */
export interface BoundFault {
  readonly kind: string
  readonly params: Json
  readonly irreversible: boolean
  readonly expiry: Expiry
  readonly holder?: () => URL
  preflight(context: FaultContext, signal: AbortSignal): Promise<readonly Finding[]>
  plan(context: FaultContext, signal: AbortSignal): Promise<FaultPlan<Json>>
  inject(traces: Json, context: FaultContext, signal: AbortSignal): Promise<void>
  recall(traces: unknown): RecalledFault
}

/** A fault that was, or may have been, injected. */
export interface RecalledFault {
  readonly kind: string
  readonly irreversible: boolean
  look(context: TraceContext, signal: AbortSignal): Promise<Sight>
  undo(context: TraceContext, signal: AbortSignal): Promise<void>
  manualUndo(id: string): readonly string[]
}
