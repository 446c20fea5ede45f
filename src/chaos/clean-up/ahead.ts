import { spawnHolder, type BoundFault, type Holder } from '../../faults/index.ts'
import { newFaultId } from './inject.ts'

/**
 * Starts what holds a fault before that is injected, as starting a process takes longer than all the rest: one at a time, while nobody waits for it.
 * Until it is told to, it does nothing, so that nothing of it need be on record; it ends with this process.
 */
export class Ahead implements AsyncDisposable {
  readonly #faults: BoundFault[]
  #next: { readonly fault: BoundFault; readonly holder: Holder } | undefined

  /** @param faults as they are to be injected */
  constructor(faults: readonly BoundFault[]) {
    this.#faults = faults.filter(({ holder }) => holder !== undefined)
  }

  /** Starts the next one, unless there is one. */
  start(): void {
    if (this.#next !== undefined) return
    const fault = this.#faults.shift()
    if (fault?.holder === undefined) return
    try {
      this.#next = { fault, holder: spawnHolder(fault.holder(), newFaultId()) }
    } catch {
      // Without processes or files to be had: when its turn comes, the fault tries itself, and says why not.
    }
  }

  /** The one for a fault, which is the caller's from then on. */
  take(fault: BoundFault): Holder | undefined {
    if (this.#next?.fault !== fault) return undefined
    const { holder } = this.#next
    this.#next = undefined
    return holder
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#next?.holder[Symbol.asyncDispose]()
  }
}
