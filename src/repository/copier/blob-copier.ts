import { availableParallelism } from 'node:os'
import { HoldfastError, isHoldfastError } from '../../kernel/index.ts'
import type { Backend } from '../../storage/index.ts'
import { createPool, ownMemory, workerEntry, type WorkerPool } from '../../threads/index.ts'
import type { BlobEntry } from '../blob.ts'
import type { RepositoryConfig } from '../config.ts'
import type { IndexedPack } from '../index-file.ts'
import { plaintextBytes, readTogether } from '../read-pack.ts'
import { sealKeys, type MasterKey } from '../seal.ts'
import type { WriterParts } from '../writer/blob-writer.ts'
import { IndexBuilder } from '../writer/index-builder.ts'
import type { ResealCalls, Resealed, ResealWorkerData } from './calls.ts'
import type { BlobCopier, CopierTotals, UncopiedBlob } from './contract.ts'
import { PackAssembler } from './pack-assembler.ts'

/** Where blobs come from. */
export interface CopySource {
  readonly backend: Backend
  readonly masterKey: MasterKey
  readonly config: RepositoryConfig
}

export interface CopierOptions {
  /** Threads; by default one for each processor, at most 8. */
  readonly workers?: number
  /** Size at which packs are closed; 16 MiB by default. */
  readonly packBytes?: number
  /** Compress what is stored uncompressed, as the format's version 1 did. */
  readonly compress?: boolean
}

/** See BlobCopier. Throws `unsupported-repository` when the destination has format version 1. */
export function createBlobCopier(source: CopySource, to: WriterParts, options: CopierOptions = {}): BlobCopier {
  if (to.config.version !== 2)
    throw new HoldfastError('unsupported-repository', {
      message: `${to.backend.location} has format version 1: it can be read, not written`,
      hint: 'upgrade it with `restic migrate upgrade_repo_v2`',
    })
  return new ThreadedBlobCopier(source, to, options)
}

class ThreadedBlobCopier implements BlobCopier {
  readonly #source: CopySource
  readonly #to: WriterParts
  readonly #pool: WorkerPool<ResealCalls>
  readonly #packs: { readonly data: PackAssembler; readonly tree: PackAssembler }
  readonly #indexBuilder: IndexBuilder
  readonly #stopped = new AbortController()
  readonly #compress: boolean
  #failure: unknown
  #totals: CopierTotals = { dataBlobs: 0, treeBlobs: 0, copiedBytes: 0, storedBytes: 0 }

  constructor(source: CopySource, to: WriterParts, { workers, packBytes, compress }: CopierOptions) {
    this.#source = source
    this.#compress = compress ?? source.config.version === 1
    this.#to = to
    const workerData: ResealWorkerData = { from: source.masterKey, to: to.masterKey }
    this.#pool = createPool<Record<string, never>, ResealCalls>({
      entry: workerEntry('../reseal-worker', import.meta.url),
      size: workers ?? Math.min(8, availableParallelism()),
      workerData,
      handlers: () => ({}),
    })
    const keys = sealKeys(to.masterKey)
    const assembler = () => new PackAssembler(keys, (pack, pieces) => this.#store(pack, pieces), packBytes)
    this.#packs = { data: assembler(), tree: assembler() }
    this.#indexBuilder = new IndexBuilder(to.storeIndex, () => performance.now(), to.unnamed)
  }

  async copy(
    pack: string,
    entries: readonly BlobEntry[],
    onBytes: (bytes: number) => void,
    signal?: AbortSignal,
  ): Promise<UncopiedBlob[]> {
    const uncopied: UncopiedBlob[] = []
    for (const group of readTogether(entries).flatMap((group) => [...inParts(group)])) {
      this.#check(signal)
      for await (const resealed of this.#reseal(pack, group, uncopied, signal)) {
        for (const { entry, reason } of resealed.damaged) uncopied.push({ entry, error: damaged(pack, entry, reason) })
        for (const blob of resealed.blobs) {
          const sealed = resealed.bytes.subarray(blob.offset, blob.offset + blob.length)
          await this.#packs[blob.type].add(blob, sealed)
          onBytes(blob.length)
        }
      }
      this.#check(signal)
    }
    return uncopied
  }

  async flush(signal?: AbortSignal): Promise<void> {
    this.#check(signal)
    await this.#packs.data.finish()
    await this.#packs.tree.finish()
    await this.#indexBuilder.flush(signal)
  }

  totals(): CopierTotals {
    return this.#totals
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopped.abort()
    await this.#pool[Symbol.asyncDispose]()
  }

  /** In one piece, or blob by blob from a pack that is cut short: it may still have the first of them. */
  async *#reseal(
    pack: string,
    group: readonly BlobEntry[],
    uncopied: UncopiedBlob[],
    signal: AbortSignal | undefined,
  ): AsyncGenerator<Resealed> {
    const offset = group[0]?.offset ?? 0
    const end = group.reduce((end, entry) => Math.max(end, entry.offset + entry.length), offset)
    const { backend } = this.#source
    try {
      const range = { offset, length: end - offset }
      const bytes = ownMemory(await backend.get('data', pack, { range, ...(signal && { signal }) }))
      const request = { pack, bytes, offset, entries: group, compress: this.#compress }
      yield await this.#pool.idlest().call('reseal', request, [bytes.buffer])
    } catch (error) {
      if (!isHoldfastError(error, 'object-missing') && !isHoldfastError(error, 'object-damaged')) throw error
      if (group.length > 1) for (const entry of group) yield* this.#reseal(pack, [entry], uncopied, signal)
      else for (const entry of group) uncopied.push({ entry, error: damaged(pack, entry, error.message) })
    }
  }

  async #store({ id, blobs }: IndexedPack, pieces: readonly Uint8Array[]): Promise<void> {
    const { signal } = this.#stopped
    try {
      this.#check(undefined)
      await this.#to.backend.put('data', id, pieces, { signal })
      this.#to.index.add({ id, blobs })
      await this.#indexBuilder.add({ id, blobs }, signal)
    } catch (error) {
      this.#failure ??= error
      throw error
    }
    const { dataBlobs, treeBlobs, copiedBytes, storedBytes } = this.#totals
    const trees = blobs.filter(({ type }) => type === 'tree').length
    this.#totals = {
      dataBlobs: dataBlobs + blobs.length - trees,
      treeBlobs: treeBlobs + trees,
      copiedBytes: blobs.reduce((sum, blob) => sum + plaintextBytes(blob), copiedBytes),
      storedBytes: blobs.reduce((sum, blob) => sum + blob.length, storedBytes),
    }
  }

  #check(signal: AbortSignal | undefined): void {
    signal?.throwIfAborted()
    if (this.#failure !== undefined) throw this.#failure
  }
}

/** Read and sealed at once, as stored: what a thread holds several times over. */
const partBytes = 4 * 1024 * 1024

function* inParts(group: readonly BlobEntry[]): Generator<BlobEntry[]> {
  let part: BlobEntry[] = []
  for (const entry of group) {
    const first = part[0]
    if (first !== undefined && entry.offset + entry.length - first.offset > partBytes) {
      yield part
      part = []
    }
    part.push(entry)
  }
  if (part.length > 0) yield part
}

function damaged(pack: string, { type, id, offset }: BlobEntry, reason: string): HoldfastError {
  return new HoldfastError('pack-damaged', {
    message: reason,
    hint: 'run `holdfast check --read-data` to see which snapshots are affected, and copy the pack from another repository',
    details: { pack, blob: id, type, offset },
  })
}
