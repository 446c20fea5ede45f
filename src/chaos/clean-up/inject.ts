import type { Catalog } from '../../catalog/index.ts'
import type { BoundFault, FaultContext, Holder, Sight } from '../../faults/index.ts'
import { HoldfastError, messageOf, ownIdentity, randomHex, type Clock } from '../../kernel/index.ts'
import { clear } from './clear.ts'
import { createRecord, openRecordSlots, removeFolder, say, type FaultRecord } from './record.ts'
import { traceContext } from './trace-context.ts'
import type { Watchdog } from './watchdog.ts'

/** A fault that is there. Disposing it is ending it. */
export interface InjectedFault extends AsyncDisposable {
  readonly id: string
  readonly kind: string
  readonly targets: readonly string[]
  readonly candidates: number
  /** How long it took until it was there, from the decision on. */
  readonly startMs: number
  /** Aborts when the watchdog has taken it back: its time was over, or this process was not heard of. */
  readonly expired: AbortSignal
  /** Whether it is still there. */
  look(signal: AbortSignal): Promise<Sight>
  /** Takes it back and reads back that it is gone; then its record is closed. Once: later calls return the same. Throws `clean-up-failed`. */
  end(): Promise<EndedFault>
}

export interface EndedFault {
  readonly by: 'injector' | 'watchdog'
  readonly endMs: number
}

/** As its guard has it. */
export interface Injection extends InjectedFault {
  /** The watchdog has taken it back. */
  expire(): void
}

export interface InjectOptions {
  /** Where the records of faults are kept: one for all experiments of a state directory. */
  readonly directory: string
  readonly experiment: string
  readonly catalog?: Catalog
  /** See FaultContext. */
  readonly spare?: FaultContext['spare']
  readonly clock: Clock
  readonly random?: () => number
  /** What is to hold it, started ahead: it gives the injection its id. */
  readonly holder?: Holder
  /** How long taking back one fault may take. Default one minute; the watchdog goes on for ten times that. */
  readonly cleanUpMs: number
  readonly watchdog: Watchdog
  /** Called after each step of each fault is on record: where crash tests pull the plug. */
  readonly afterRecord?: (step: RecordedStep) => void
}

export type RecordedStep = 'recorded' | 'guarded' | 'injecting' | 'did-inject' | 'injected' | 'ending' | 'did-end' | 'closed'

/** How long a fault may take to show, once it is injected. */
const appearMs = 5000

/** See Guard.inject. */
export async function injectFault(
  fault: BoundFault,
  limitMs: number,
  options: InjectOptions,
  signal: AbortSignal,
): Promise<Injection> {
  const { clock, directory, watchdog, afterRecord: reached = () => {} } = options
  const beganMs = clock.monotonicMs()
  watchdog.lost.throwIfAborted()
  const { record, context, candidates } = await planRecord(fault, limitMs, options, signal)
  const { id, targets } = record
  const path = await createRecord(directory, record)
  reached('recorded')
  await using cleanUp = new AsyncDisposableStack()
  const slots = cleanUp.use(await openRecordSlots(path))
  const recalled = fault.recall(record.traces)
  const expired = new AbortController()
  const take = async (): Promise<EndedFault> => {
    const startedMs = clock.monotonicMs()
    await using _slots = slots
    await say(slots, 'injector', 'ending', clock.now())
    reached('ending')
    const { aborted } = expired.signal
    // Not by the experiment's signal: what is aborted must be taken back all the more.
    await clear(recalled, context, options.cleanUpMs, new AbortController().signal)
    reached('did-end')
    await removeFolder(directory, id)
    await say(slots, 'injector', 'closed', clock.now())
    reached('closed')
    await watchdog.release(id)
    return { by: aborted ? 'watchdog' : 'injector', endMs: clock.monotonicMs() - startedMs }
  }
  let ending: Promise<EndedFault> | undefined
  const end = () => (ending ??= take())

  try {
    await watchdog.guard(path, record)
    reached('guarded')
    await say(slots, 'injector', 'injecting', clock.now())
    reached('injecting')
    const together = AbortSignal.any([signal, watchdog.lost])
    await fault.inject(record.traces, context, together)
    reached('did-inject')
    await untilPresent(fault.kind, () => recalled.look(context, together), clock, together)
    if (clock.monotonicMs() >= context.deadlineMs) throw tooLate(fault.kind)
    await say(slots, 'injector', 'injected', clock.now())
    reached('injected')
  } catch (error) {
    await end()
    signal.throwIfAborted()
    throw failed(fault.kind, error)
  }
  cleanUp.move()
  return {
    id,
    kind: fault.kind,
    targets,
    candidates,
    startMs: clock.monotonicMs() - beganMs,
    expired: expired.signal,
    look: (signal) => recalled.look(context, signal),
    end,
    expire: () => expired.abort(),
    async [Symbol.asyncDispose]() {
      await end()
    },
  }
}

async function planRecord(
  fault: BoundFault,
  limitMs: number,
  { clock, directory, experiment, catalog, spare, holder, random = Math.random }: InjectOptions,
  signal: AbortSignal,
): Promise<{ record: FaultRecord; context: FaultContext; candidates: number }> {
  const id = holder?.id ?? newFaultId()
  const deadlineMs = clock.monotonicMs() + limitMs
  const at = clock.now()
  const about = {
    version: 1 as const,
    id,
    experiment,
    kind: fault.kind,
    params: fault.params as FaultRecord['params'],
    injector: await ownIdentity(),
    at: at.toISOString(),
    deadline: { at: new Date(at.getTime() + limitMs).toISOString(), monotonicMs: deadlineMs },
  }
  const traced = traceContext(directory, { ...about, targets: [], traces: null }, clock)
  const context = {
    ...traced,
    deadlineMs,
    random,
    ...(catalog === undefined ? {} : { catalog }),
    ...(spare === undefined ? {} : { spare }),
    ...(holder === undefined ? {} : { holder }),
  }
  const blocker = (await fault.preflight(context, signal)).find(({ severity }) => severity === 'blocker')
  if (blocker !== undefined) throw refused(`${fault.kind}: ${blocker.message}`, blocker.hint)
  const { targets, candidates = targets.length, traces } = await fault.plan(context, signal)
  if (targets.length === 0) throw refused(`${fault.kind} has no target: what it should hit is not there`)
  return { record: { ...about, targets: [...targets], traces: traces as FaultRecord['traces'] }, context, candidates }
}

/** 16 hex digits: see TraceContext. */
export function newFaultId(): string {
  return randomHex(8)
}

/** Some faults show only a moment after they were ordered. */
async function untilPresent(kind: string, look: () => Promise<Sight>, clock: Clock, signal: AbortSignal): Promise<void> {
  const endMs = clock.monotonicMs() + appearMs
  for (;;) {
    const sight = await look()
    if (sight.state === 'present' || sight.state === 'over') return
    if (clock.monotonicMs() > endMs) {
      const because = 'because' in sight ? sight.because : 'nothing of it can be seen'
      throw new HoldfastError('fault-failed', { message: `${kind} was injected, and is not there: ${because}` })
    }
    await clock.sleep(10, signal)
  }
}

function tooLate(kind: string): HoldfastError {
  return new HoldfastError('fault-failed', { message: `${kind} was not there before its time was over` })
}

function refused(message: string, hint?: string): HoldfastError {
  return new HoldfastError('fault-refused', { message, ...(hint === undefined ? {} : { hint }) })
}

function failed(kind: string, cause: unknown): HoldfastError {
  if (cause instanceof HoldfastError && (cause.code === 'fault-failed' || cause.code === 'fault-refused')) return cause
  return new HoldfastError('fault-failed', { message: `${kind} could not be injected: ${messageOf(cause)}`, cause })
}
