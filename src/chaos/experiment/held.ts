import type { BoundFault } from '../../faults/index.ts'
import { isHoldfastError, messageOf, type Clock } from '../../kernel/index.ts'
import type { Guard } from '../clean-up/guard.ts'
import type { InjectedFault } from '../clean-up/inject.ts'
import type { FaultEvidence } from '../verdict.ts'

/** One injection of a fault, from when it was decided on. */
export interface Held {
  readonly name: string
  readonly fault: BoundFault
  readonly injectedAtMs: number
  injected?: InjectedFault
  state: FaultEvidence['state']
  undo: FaultEvidence['undo']
  targets: readonly string[]
  because?: string
  goneAfterMs?: number
  /** See FaultEvidence. */
  lost?: string
}

/** How long the look right before its end may take: whatever it shows, the end comes. */
const lastLookMs = 5000

export interface Injecting {
  readonly guard: Guard
  readonly clock: Clock
  /** Why what was hit is too much; undefined when it is not. */
  readonly tooMuch: (hit: InjectedFault) => string | undefined
}

/** Injects a fault that is gone after `limitMs` at the latest. Whatever goes wrong is in what is held. */
export async function hold(
  { guard, clock, tooMuch }: Injecting,
  { name, fault, limitMs }: { readonly name: string; readonly fault: BoundFault; readonly limitMs: number },
  stop: AbortSignal,
): Promise<Held> {
  const one: Held = { name, fault, injectedAtMs: clock.monotonicMs(), state: 'failed', undo: 'gone', targets: [] }
  try {
    const injected = await guard.inject(fault, limitMs, stop)
    const known: Held = { ...one, injected, state: 'injected', targets: injected.targets, undo: 'unknown' }
    // Targets are chosen anew when it is injected: there may be more of them by now.
    const because = tooMuch(injected)
    if (because === undefined) return known
    await end(known)
    const { injected: _ended, ...ended } = known
    return { ...ended, state: 'failed', because }
  } catch (error) {
    // It found nothing, or was not there; what there was of it is taken back, unless that is what failed.
    const undo = isHoldfastError(error, 'clean-up-failed') ? 'failed' : 'gone'
    const targets = isHoldfastError(error, 'fault-refused') ? [] : ['unknown']
    return { ...one, undo, targets, because: messageOf(error) }
  }
}

/**
 * Once; the outcome stays in what is held. Right before, it is looked at for the last time, unless the experiment was ended early: then nothing is
 * shown by it any more, and the end is urgent.
 */
export async function takeBack(one: Held, stop: AbortSignal): Promise<void> {
  if (one.injected === undefined || one.undo !== 'unknown') return
  const lost = stop.aborted ? undefined : await lookForTheLastTime(one.injected, stop)
  if (lost !== undefined) one.lost = lost
  await end(one)
}

/** Why nobody can say that it was there until now; undefined where it is there, or has done all that it was told to. */
async function lookForTheLastTime(injected: InjectedFault, stop: AbortSignal): Promise<string | undefined> {
  try {
    const sight = await injected.look(AbortSignal.any([stop, AbortSignal.timeout(lastLookMs)]))
    if (sight.state === 'present' || sight.state === 'over') return undefined
    return sight.state === 'absent' ? 'nothing of it was there any more' : sight.because
  } catch (error) {
    // Ended early meanwhile: it shows nothing any more.
    return stop.aborted ? undefined : `nobody could look: ${messageOf(error)}`
  }
}

async function end(one: Held): Promise<void> {
  if (one.injected === undefined) return
  try {
    const { endMs } = await one.injected.end()
    one.goneAfterMs = endMs
    one.undo = one.fault.irreversible ? 'lasting' : 'gone'
  } catch (error) {
    one.undo = 'failed'
    one.because = messageOf(error)
  }
}

/** Of what nobody knows to be gone. */
export function blame(held: readonly Held[], error: unknown): void {
  for (const one of held) {
    if (one.undo !== 'unknown') continue
    one.undo = 'failed'
    one.because = messageOf(error)
  }
}

export function notBegun(name: string, fault: BoundFault, because: string): Held {
  return { name, fault, injectedAtMs: 0, state: 'not-begun', undo: 'gone', targets: ['unknown'], because }
}

export function faultEvidence(one: Held | undefined, name: string): FaultEvidence {
  if (one === undefined) return { name, targets: ['unknown'], state: 'not-begun', undo: 'gone' }
  const { targets, state, undo, injectedAtMs, injected, goneAfterMs, because, lost } = one
  return {
    name,
    targets,
    state,
    undo,
    injectedAtMs,
    ...(injected === undefined ? {} : { presentAfterMs: injected.startMs }),
    ...(goneAfterMs === undefined ? {} : { goneAfterMs }),
    ...(because === undefined ? {} : { because }),
    ...(lost === undefined ? {} : { lost }),
  }
}
