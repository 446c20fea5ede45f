/**
 * Lets many wait for work or for a signal, with one listener a signal: to add one, Node compares it with all that are there.
 */
export class Aborts {
  readonly #waiting = new Map<AbortSignal, { readonly rejects: Set<(reason: unknown) => void>; readonly onAbort: () => void }>()

  /** What the work gives, or the reason of the signal if that comes first. */
  whichever<Result>(signal: AbortSignal | undefined, work: Promise<Result>): Promise<Result> {
    if (signal === undefined) return work
    const { promise, resolve, reject } = Promise.withResolvers<Result>()
    this.#add(signal, reject)
    work.then(
      (result) => {
        this.#remove(signal, reject)
        resolve(result)
      },
      (error: unknown) => {
        this.#remove(signal, reject)
        reject(error)
      },
    )
    return promise
  }

  #add(signal: AbortSignal, reject: (reason: unknown) => void): void {
    const there = this.#waiting.get(signal)
    if (there !== undefined) {
      there.rejects.add(reject)
      return
    }
    const rejects = new Set([reject])
    const onAbort = () => {
      for (const each of rejects) each(signal.reason)
    }
    this.#waiting.set(signal, { rejects, onAbort })
    signal.addEventListener('abort', onAbort, { once: true })
  }

  /** The listener goes with the last: a signal may outlive the writer. */
  #remove(signal: AbortSignal, reject: (reason: unknown) => void): void {
    const there = this.#waiting.get(signal)
    if (there === undefined || !there.rejects.delete(reject) || there.rejects.size > 0) return
    signal.removeEventListener('abort', there.onAbort)
    this.#waiting.delete(signal)
  }
}
