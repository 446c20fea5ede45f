import { HoldfastError } from '../../kernel/index.ts'
import type { WorkerPool } from '../../threads/index.ts'
import type { FileResult, WriterCalls } from './calls.ts'
import type { SavedContent } from './contract.ts'

/** Files in one call at most: one that is large keeps the others of its call waiting. */
const maxFiles = 16

interface Wanted {
  readonly path: Buffer
  readonly resolve: (saved: SavedContent) => void
  readonly reject: (error: unknown) => void
}

/** Hands files to workers, those asked for at the same time shared out and several in one call. */
export class FileQueue {
  readonly #pool: WorkerPool<WriterCalls>
  #wanted: Wanted[] = []

  constructor(pool: WorkerPool<WriterCalls>) {
    this.#pool = pool
  }

  /** Throws `source-unreadable`. */
  save(path: Buffer): Promise<SavedContent> {
    const { promise, resolve, reject } = Promise.withResolvers<SavedContent>()
    if (this.#wanted.length === 0) setImmediate(() => this.#send())
    this.#wanted.push({ path, resolve, reject })
    return promise
  }

  #send(): void {
    const all = this.#wanted
    this.#wanted = []
    const each = Math.min(maxFiles, Math.ceil(all.length / this.#pool.workers.length))
    for (let at = 0; at < all.length; at += each) void this.#call(all.slice(at, at + each))
  }

  /** Never rejects: every file has its own promise. */
  async #call(files: readonly Wanted[]): Promise<void> {
    try {
      const latin1Paths = files.map(({ path }) => path.toString('latin1'))
      const results = await this.#pool.idlest().call('saveFiles', { latin1Paths })
      for (const [at, file] of files.entries()) settle(file, results[at])
    } catch (error) {
      for (const { reject } of files) reject(error)
    }
  }
}

function settle({ path, resolve, reject }: Wanted, result: FileResult | undefined): void {
  if (result !== undefined && 'saved' in result) {
    resolve(result.saved)
    return
  }
  const reason = result?.unreadable ?? 'its worker did not answer'
  const shown = path.toString()
  reject(new HoldfastError('source-unreadable', { message: `cannot read ${shown}: ${reason}`, details: { path: shown, reason } }))
}
