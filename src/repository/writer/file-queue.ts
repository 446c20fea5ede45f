import { HoldfastError } from '../../kernel/index.ts'
import type { PoolWorker, WorkerPool } from '../../threads/index.ts'
import type { FileResult, WriterCalls } from './calls.ts'
import type { FileMakerModule } from './contract.ts'

/** Files in one call at most: one that is large keeps the others of its call waiting. */
const maxFiles = 16
/** Calls that a worker has at a time: it works on one, and the next is there when that is done. */
const callsUnderWay = 2

interface Wanted {
  readonly latin1Path: string
  readonly resolve: (made: unknown) => void
  readonly reject: (error: unknown) => void
}

/** Hands files to workers, several in one call, as they have time for them. */
export class FileQueue {
  readonly #free: PoolWorker<WriterCalls>[]
  readonly #workers: number
  readonly #maker: number
  #wanted: Wanted[] = []
  #isSending = false

  /** The maker's number is its own among those of these workers. */
  constructor({ workers }: WorkerPool<WriterCalls>, { entry, data, number }: FileMakerModule & { readonly number: number }) {
    this.#maker = number
    for (const worker of workers) {
      const opened = worker.call('openMaker', { maker: number, entry: entry.href, data })
      // A thread does nothing more after a failure, and tells it to whoever asks.
      opened.catch(() => {})
    }
    this.#workers = workers.length
    this.#free = Array.from({ length: callsUnderWay }, () => workers).flat()
  }

  /** Throws `source-unreadable`. */
  save(latin1Path: string): Promise<unknown> {
    const { promise, resolve, reject } = Promise.withResolvers<unknown>()
    this.#wanted.push({ latin1Path, resolve, reject })
    this.#sendSoon()
    return promise
  }

  /** Once whoever asks now has asked for all that it wants. */
  #sendSoon(): void {
    if (this.#isSending) return
    this.#isSending = true
    setImmediate(() => {
      this.#isSending = false
      this.#send()
    })
  }

  #send(): void {
    const each = Math.min(maxFiles, Math.ceil(this.#wanted.length / this.#workers))
    while (this.#wanted.length > 0) {
      const worker = this.#free.shift()
      if (worker === undefined) return
      void this.#call(worker, this.#wanted.splice(0, each))
    }
  }

  /** Never rejects: every file has its own promise. */
  async #call(worker: PoolWorker<WriterCalls>, files: readonly Wanted[]): Promise<void> {
    try {
      const results = await worker.call('saveFiles', {
        maker: this.#maker,
        latin1Paths: files.map(({ latin1Path }) => latin1Path),
      })
      for (const [at, file] of files.entries()) settle(file, results[at])
    } catch (error) {
      for (const { reject } of files) reject(error)
    }
    this.#free.push(worker)
    this.#sendSoon()
  }
}

function settle({ latin1Path, resolve, reject }: Wanted, result: FileResult | undefined): void {
  if (result !== undefined && 'made' in result) {
    resolve(result.made)
    return
  }
  const { unreadable: reason, code } = result ?? { unreadable: 'its worker did not answer' }
  const path = Buffer.from(latin1Path, 'latin1').toString()
  const details = { path, reason, ...(code !== undefined && { code }) }
  reject(new HoldfastError('source-unreadable', { message: `cannot read ${path}: ${reason}`, details }))
}
