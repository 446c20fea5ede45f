import { bootIdentity, HoldfastError, steadyClock, type Anchor, type Clock, type Json } from '../../kernel/index.ts'
import type { Journal } from '../../journal/index.ts'
import { toJson, type RunEvent, type RunEventBody } from '../events.ts'
import { readLetters, removeLetter } from './inbox.ts'
import { Recorded } from './recorded.ts'
import type { RunFolder } from './run-folder.ts'

const inboxIntervalMs = 100

type WithoutTime<T> = T extends unknown ? Omit<T, 'at'> : never
export type NewEvent = WithoutTime<RunEventBody>

/**
 * A run that this process works on: its journal, what that has recorded, and the letters that reach it.
 *
 * When the run is let go (`close`, or a journal that cannot be written any more) nothing that the handler does may have an effect again:
 * its calls stay pending for ever, as after a crash.
 */
export class LiveRun {
  readonly recorded = new Recorded()
  readonly folder: RunFolder
  /** Steady from the run's first record on, also across a crash within one boot of the machine. */
  readonly clock: Clock
  /** Where the clock's time comes from: recorded by whoever begins or goes on. */
  readonly anchor: Anchor
  /** Aborts with `run-cancelled` once a cancellation is recorded. */
  readonly cancelled = new AbortController()
  /** Aborts when the run is let go. */
  readonly letGo = new AbortController()
  readonly #journal: Journal
  readonly #attempts = new Set<Promise<unknown>>()
  readonly #signalWaiters = new Map<string, () => void>()
  readonly #onLetGo: (cause: unknown) => void
  #inboxTimer: NodeJS.Timeout | undefined
  #collecting: Promise<void> | undefined
  #takesLetters = true

  constructor(folder: RunFolder, journal: Journal, clock: Clock, events: readonly RunEvent[], onLetGo: (cause: unknown) => void) {
    this.folder = folder
    this.anchor = anchorOf(events, clock)
    this.clock = steadyClock(this.anchor, clock)
    this.#journal = journal
    this.#onLetGo = onLetGo
    for (const event of events) this.#apply(event)
    this.#inboxTimer = setInterval(() => void this.collectLetters(), inboxIntervalMs)
  }

  /** Durable when it returns; never returns once the run is let go. */
  async record(event: NewEvent): Promise<void> {
    if (this.letGo.signal.aborted) return never()
    const full: RunEventBody = { ...event, at: this.clock.now().toISOString() }
    try {
      await this.#journal.append(toJson(full))
    } catch (error) {
      await this.close(error)
      return never()
    }
    this.#apply(full)
    if (this.letGo.signal.aborted) return never()
  }

  /** Runs what must have settled before the run may be let go. */
  async track<T>(work: Promise<T>): Promise<T> {
    const settled = work.then(
      () => {},
      () => {},
    )
    this.#attempts.add(settled)
    try {
      return await work
    } finally {
      this.#attempts.delete(settled)
    }
  }

  /** The value of a signal when there is one; else undefined once `stop` aborts. */
  async signalValue(name: string, stop: AbortSignal): Promise<Json | undefined> {
    if (!this.recorded.signals.has(name) && !stop.aborted) {
      const { promise, resolve } = Promise.withResolvers<void>()
      this.#signalWaiters.set(name, resolve)
      stop.addEventListener('abort', () => resolve(), { once: true })
      await promise
      this.#signalWaiters.delete(name)
    }
    return this.recorded.signals.get(name)
  }

  /** Records the letters that have come in. One collection at a time; errors let the run go. */
  async collectLetters(): Promise<void> {
    this.#collecting ??= this.#collect().finally(() => (this.#collecting = undefined))
    await this.#collecting
  }

  /** Before the run's end is recorded: it is the last record. What has come too late stays unread. */
  async takeNoMoreLetters(): Promise<void> {
    this.#takesLetters = false
    clearInterval(this.#inboxTimer)
    await this.#collecting
  }

  async #collect(): Promise<void> {
    try {
      for (const letter of await readLetters(this.folder.inbox)) {
        if (this.letGo.signal.aborted || !this.#takesLetters) return
        if (!this.recorded.letters.has(letter.letter)) {
          if (letter.type === 'cancel')
            await this.#recordLetter({ type: 'cancel-requested', reason: letter.reason, letter: letter.letter })
          else await this.#recordLetter({ type: 'signal', name: letter.name, value: letter.value, letter: letter.letter })
        }
        await removeLetter(this.folder.inbox, letter.letter)
      }
    } catch (error) {
      void this.close(error)
    }
  }

  /** As record, but it comes back when the run is let go: the collection must end for `close` to end. */
  async #recordLetter(event: NewEvent): Promise<void> {
    const full: RunEventBody = { ...event, at: this.clock.now().toISOString() }
    await this.#journal.append(toJson(full))
    this.#apply(full)
  }

  /** Stops what is in flight, waits until it has settled, and gives the journal up. */
  async close(cause: unknown): Promise<void> {
    if (this.letGo.signal.aborted) return
    this.letGo.abort(cause)
    clearInterval(this.#inboxTimer)
    await Promise.all(this.#attempts)
    await this.#collecting
    await this.#journal[Symbol.asyncDispose]()
    this.#onLetGo(cause)
  }

  #apply(event: RunEventBody): void {
    this.recorded.apply(event)
    if (event.type === 'signal') this.#signalWaiters.get(event.name)?.()
    if (event.type === 'cancel-requested') {
      this.cancelled.abort(
        new HoldfastError('run-cancelled', {
          message: `the run was cancelled: ${event.reason}`,
          details: { cancelled: true, reason: event.reason },
        }),
      )
    }
  }
}

/** On the boot that the run has been worked on before, its own; else the wall clock, though never before what is recorded. */
function anchorOf(events: readonly RunEvent[], clock: Clock): Anchor {
  const boot = bootIdentity()
  const anchors = events.flatMap((event) =>
    (event.type === 'submitted' || event.type === 'resumed') && event.clock !== undefined
      ? [{ at: event.at, ...event.clock }]
      : [],
  )
  const known = boot === '' ? undefined : anchors.findLast((anchor) => anchor.boot === boot)
  if (known !== undefined) return known
  const lastMs = Date.parse(events.at(-1)?.at ?? '') || 0
  return { at: new Date(Math.max(clock.now().getTime(), lastMs)).toISOString(), monotonicMs: clock.monotonicMs(), boot }
}

/** For a handler whose run was let go: it must not see an error, which it would compensate for. */
export function never(): Promise<never> {
  return new Promise(() => {})
}
