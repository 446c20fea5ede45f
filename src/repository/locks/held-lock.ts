import { HoldfastError, messageOf, type Clock } from '../../kernel/index.ts'
import type { LockStore } from './lock-store.ts'

/** The use of a repository, until it is disposed. */
export interface RepositoryLock extends AsyncDisposable {
  readonly mode: 'shared' | 'exclusive'
  /** Aborts with `lock-lost` when the lock could not be refreshed in time or was removed: whoever works under it must stop at once. */
  readonly signal: AbortSignal
  /** Looks whether it still stands; throws `lock-lost`. For the moment before the result of long work is made known. */
  confirm(): Promise<void>
}

export interface LockTimes {
  /** Between writing a lock and looking again: whoever looked before has shown a lock of its own by then. */
  readonly settleMs: number
  readonly refreshEveryMs: number
  /** After so long without a refresh others may soon take the lock for stale. */
  readonly lostAfterMs: number
}

/** restic's figures. */
export const resticLockTimes: LockTimes = { settleMs: 200, refreshEveryMs: 5 * 60_000, lostAfterMs: 22.5 * 60_000 }

/** A lock that stands. `hangup` is disposed when it does no more. */
export interface Acquired {
  readonly id: string
  readonly mode: 'shared' | 'exclusive'
  readonly hangup: Disposable
}

/** Keeps an acquired lock: writes it anew before it grows old, and notices when it is lost. */
export class HeldLock implements RepositoryLock {
  readonly mode: 'shared' | 'exclusive'
  readonly #store: LockStore
  readonly #clock: Clock
  readonly #times: LockTimes
  readonly #lost = new AbortController()
  readonly #timer: NodeJS.Timeout
  readonly #hangup: Disposable
  #id: string
  /** Older locks of ours that could not be removed yet. */
  readonly #replaced: string[] = []
  #refreshed: { wallMs: number; monotonicMs: number }
  #refreshing: Promise<void> | undefined
  #lastFailure: string | undefined
  #disposed = false

  constructor(store: LockStore, { id, mode, hangup }: Acquired, clock: Clock, times: LockTimes) {
    this.#hangup = hangup
    this.#store = store
    this.#id = id
    this.mode = mode
    this.#clock = clock
    this.#times = times
    this.#refreshed = this.#now()
    // Looked at more often than refreshed: a machine that slept must notice soon.
    const every = Math.max(1, Math.min(times.refreshEveryMs, times.lostAfterMs) / 5)
    this.#timer = setInterval(() => this.#tick(), every)
    this.#timer.unref()
  }

  get signal(): AbortSignal {
    return this.#lost.signal
  }

  async confirm(): Promise<void> {
    await this.#refreshing
    if (!this.#lost.signal.aborted && !(await this.#store.exists(this.#id))) this.#lose('somebody removed it')
    this.#lost.signal.throwIfAborted()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#disposed) return
    this.#disposed = true
    clearInterval(this.#timer)
    try {
      await this.#refreshing
      for (const id of [...this.#replaced, this.#id]) await this.#store.remove(id)
    } finally {
      this.#hangup[Symbol.dispose]()
    }
  }

  #now() {
    return { wallMs: this.#clock.now().getTime(), monotonicMs: this.#clock.monotonicMs() }
  }

  #tick(): void {
    const now = this.#now()
    // The monotonic clock stands still while a machine sleeps, and others judge by the wall clock.
    const age = Math.max(now.wallMs - this.#refreshed.wallMs, now.monotonicMs - this.#refreshed.monotonicMs)
    if (age >= this.#times.lostAfterMs) this.#lose(`it could not be refreshed for ${Math.round(age / 1000)} s`)
    else if (age >= this.#times.refreshEveryMs) this.#refreshing ??= this.#tryRefresh()
  }

  async #tryRefresh(): Promise<void> {
    try {
      await this.#refresh()
      this.#lastFailure = undefined
    } catch (error) {
      // The next tick tries again, until the lock counts as lost; then this says why.
      this.#lastFailure = messageOf(error)
    } finally {
      this.#refreshing = undefined
    }
  }

  async #refresh(): Promise<void> {
    if (this.#disposed || this.#lost.signal.aborted) return
    const old = this.#id
    if (!(await this.#store.exists(old))) {
      this.#lose('somebody removed it')
      return
    }
    const now = this.#now()
    this.#id = await this.#store.write(this.mode === 'exclusive', now.wallMs)
    this.#refreshed = now
    this.#replaced.push(old)
    while (this.#replaced[0] !== undefined) {
      await this.#store.remove(this.#replaced[0])
      this.#replaced.shift()
    }
  }

  #lose(why: string): void {
    clearInterval(this.#timer)
    const cause = this.#lastFailure === undefined ? '' : ` (last failure: ${this.#lastFailure})`
    this.#lost.abort(
      new HoldfastError('lock-lost', {
        message: `the lock on the repository is lost: ${why}${cause}`,
        hint: 'run the command again; what was stored so far is kept and not stored twice',
      }),
    )
  }
}
