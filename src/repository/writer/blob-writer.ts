import { hash } from 'node:crypto'
import { availableParallelism } from 'node:os'
import { HoldfastError } from '../../kernel/index.ts'
import type { Backend } from '../../storage/index.ts'
import { createPool, Moved, workerEntry, type PoolWorker, type WorkerPool } from '../../threads/index.ts'
import type { BlobIndex } from '../blob-index.ts'
import type { BlobType } from '../blob.ts'
import type { IndexedPack } from '../index-file.ts'
import type { RepositoryConfig } from '../config.ts'
import { plaintextBytes } from '../read-pack.ts'
import { sealKeys, type MasterKey } from '../seal.ts'
import type { CompressedText } from '../tree/tree-text.ts'
import { Aborts } from './aborts.ts'
import type { WriterCalls, WriterMainCalls, WriterWorkerData } from './calls.ts'
import type { BlobWriter, FileMakerModule, SaveFile, SavedContent, SavedTree, WriterTotals } from './contract.ts'
import { FileQueue } from './file-queue.ts'
import { IndexBuilder, type StoreIndex } from './index-builder.ts'
import { KnownBlobs } from './known-blobs.ts'
import { oneByOne } from './one-by-one.ts'
import { PackBuilder, type FinishedPack } from './pack-builder.ts'
import { StreamSender } from './stream-sender.ts'

/** What a writer needs of its repository. */
export interface WriterParts {
  readonly backend: Backend
  readonly masterKey: MasterKey
  readonly config: RepositoryConfig
  /** What is stored already. Packs are added to it as they become durable. */
  readonly index: BlobIndex
  /** Packs of it that no readable index file names. They are named by the next one. */
  readonly unnamed?: readonly IndexedPack[]
  /** Writes one index file; durable when it returns. */
  readonly storeIndex: StoreIndex
}

export interface WriterOptions {
  /** Threads; by default one for each processor, at least 2 and at most 8. */
  readonly workers?: number
  /** Size at which packs are closed; 16 MiB by default. */
  readonly packBytes?: number
  /** Do everything but store it: for the figures of a dry run. */
  readonly dryRun?: boolean
}

/** See BlobWriter. Blobs that the index names are not stored again. Throws `unsupported-repository` for format version 1. */
export function createBlobWriter(parts: WriterParts, options: WriterOptions = {}): BlobWriter {
  if (parts.config.version !== 2)
    throw new HoldfastError('unsupported-repository', {
      message: 'this repository has format version 1: it can be read, not written',
      hint: 'upgrade it with `restic migrate upgrade_repo_v2`',
    })
  return new ThreadedBlobWriter(parts, options)
}

interface Threads {
  readonly pool: WorkerPool<WriterCalls>
  readonly streams: StreamSender
}

class ThreadedBlobWriter implements BlobWriter {
  readonly #dryRun: boolean
  readonly #backend: Backend
  readonly #blobIndex: BlobIndex
  readonly #indexBuilder: IndexBuilder
  /** What was added by this writer: what it began with is in the index. */
  readonly #known = { data: new KnownBlobs(), tree: new KnownBlobs() }
  readonly #bytesRead = new SharedArrayBuffer(8)
  readonly #startThreads: () => Threads
  #threads: Threads | undefined
  #makers = 0
  /** The first trees: a backup of which little is new has few more, and these are packed sooner than threads are started. */
  readonly #firstTrees: PackBuilder
  #firstTreesLeft = 32
  readonly #inTurn = oneByOne()
  readonly #stopped = new AbortController()
  readonly #aborts = new Aborts()
  readonly #storing = new Set<Promise<unknown>>()
  #failure: unknown
  #totals = { dataBlobs: 0, treeBlobs: 0, addedBytes: 0, addedStoredBytes: 0 }

  constructor(
    { backend, masterKey, config, index, unnamed = [], storeIndex }: WriterParts,
    { workers, packBytes, dryRun = false }: WriterOptions,
  ) {
    this.#dryRun = dryRun
    this.#backend = backend
    this.#blobIndex = index
    this.#indexBuilder = new IndexBuilder(storeIndex, () => performance.now(), dryRun ? [] : unnamed)
    const storeTrees = async (pack: FinishedPack) => (await this.#storePack('tree', pack)).value
    this.#firstTrees = new PackBuilder('tree', sealKeys(masterKey), storeTrees, packBytes)
    const newWorkerData = (): WriterWorkerData => ({
      masterKey,
      polynomial: config.chunkerPolynomial,
      stored: index.share(),
      known: this.#known.data.memory,
      packBytes,
      bytesRead: this.#bytesRead,
    })
    this.#startThreads = () => {
      const pool = createPool<WriterMainCalls, WriterCalls>({
        entry: workerEntry('../writer-worker', import.meta.url),
        size: workers ?? Math.min(8, Math.max(2, availableParallelism())),
        workerData: newWorkerData(),
        handlers: () => ({ storePack: ({ type, pack }) => this.#storePack(type, pack) }),
      })
      return { pool, streams: new StreamSender(pool) }
    }
  }

  /** Started when there is something to store: often there is not. */
  get #started(): Threads {
    this.#threads ??= this.#startThreads()
    return this.#threads
  }

  async saveTree(text: Uint8Array | CompressedText, signal?: AbortSignal, { again = false } = {}): Promise<SavedTree> {
    const isCompressed = 'frames' in text
    const idBytes = isCompressed ? Buffer.from(text.id) : hash('sha256', text, 'buffer')
    const id = idBytes.toString('hex')
    const isNew = !this.#blobIndex.has('tree', id) && this.#known.tree.add(idBytes)
    if (!isNew && !again) return { id, added: false, addedBytes: 0, addedStoredBytes: 0 }
    // What is moved to a thread is gone here, and the caller may want to save it again.
    const bytes = new Uint8Array(isCompressed ? text.frames : text)
    const copy = isCompressed ? { ...text, frames: bytes } : bytes
    const addedStoredBytes = await this.#do(signal, () => {
      if (this.#threads === undefined && this.#firstTreesLeft-- > 0) return this.#inTurn(() => this.#firstTrees.add(id, copy))
      return this.#started.pool.idlest().call('saveTree', { id, text: copy }, [bytes.buffer])
    })
    return { id, added: true, addedBytes: isCompressed ? text.bytes : text.length, addedStoredBytes }
  }

  fileSaver<Made>(maker: FileMakerModule): SaveFile<Made> {
    let queue: FileQueue | undefined
    const started = () => {
      const { pool } = this.#started
      return new FileQueue(pool, { ...maker, number: this.#makers++ })
    }
    // What comes back was made by the maker's module: its type is the caller's to know.
    const save = (latin1Path: string) => (queue ??= started()).save(latin1Path) as Promise<Made | undefined>
    return (latin1Path, signal) => this.#do(signal, () => save(latin1Path))
  }

  saveStream(pieces: AsyncIterable<Uint8Array>, signal?: AbortSignal): Promise<SavedContent> {
    return this.#do(signal, () => this.#started.streams.send(pieces, () => this.#check(signal)))
  }

  flush(signal?: AbortSignal): Promise<void> {
    return this.#do(signal, async () => {
      const workers = this.#threads?.pool.workers ?? []
      const [first, ...others] = workers
      // What the workers have left over goes into one pack of each type: small packs make a slow repository.
      for (const worker of others) {
        const open = await worker.call('takeOpen', null)
        await first?.call(
          'absorb',
          open,
          Object.values(open).map(({ memory }) => memory.buffer),
        )
      }
      await this.#inTurn(() => this.#finishFirstTrees(first))
      await Promise.all(workers.map((worker) => worker.call('finish', null)))
      await this.#indexBuilder.flush(signal)
    })
  }

  /** With those of a thread, if there is one. */
  async #finishFirstTrees(thread: PoolWorker<WriterCalls> | undefined): Promise<void> {
    const tree = thread && this.#firstTrees.take()
    if (tree !== undefined) await thread?.call('absorb', { tree }, [tree.memory.buffer])
    await this.#firstTrees.finish()
  }

  totals(): WriterTotals {
    return { ...this.#totals, bytesRead: Number(Atomics.load(new BigInt64Array(this.#bytesRead), 0)) }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopped.abort()
    await this.#threads?.pool[Symbol.asyncDispose]()
    await Promise.allSettled(this.#storing)
  }

  async #storePack(type: BlobType, pack: FinishedPack): Promise<Moved<Uint8Array<ArrayBuffer>>> {
    const storing = this.#putPack(type, pack)
    this.#storing.add(storing)
    try {
      await storing
    } catch (error) {
      this.#failure ??= error
      throw error
    } finally {
      this.#storing.delete(storing)
    }
    return new Moved(pack.memory, [pack.memory.buffer])
  }

  async #putPack(type: BlobType, { id, blobs, memory, length }: FinishedPack): Promise<void> {
    const { signal } = this.#stopped
    if (!this.#dryRun) {
      await this.#backend.put('data', id, memory.subarray(0, length), { signal })
      this.#blobIndex.add({ id, blobs })
      await this.#indexBuilder.add({ id, blobs }, signal)
    }
    this.#totals[type === 'data' ? 'dataBlobs' : 'treeBlobs'] += blobs.length
    for (const blob of blobs) {
      this.#totals.addedBytes += plaintextBytes(blob)
      this.#totals.addedStoredBytes += blob.length
    }
  }

  /** The first failure to store anything is the one to tell, not what follows from it; an unreadable source is no failure of the writer. */
  async #do<Result>(signal: AbortSignal | undefined, work: () => Promise<Result>): Promise<Result> {
    this.#check(signal)
    try {
      return await this.#aborts.whichever(signal, work())
    } catch (error) {
      if (this.#failure !== undefined) throw this.#failure
      throw error
    }
  }

  #check(signal: AbortSignal | undefined): void {
    signal?.throwIfAborted()
    if (this.#failure !== undefined) throw this.#failure
  }
}
