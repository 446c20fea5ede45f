import { isHoldfastError, mapConcurrently, messageOf, shortId } from '../kernel/index.ts'
import type { Backend } from '../storage/index.ts'
import { createBlobIndex, type BlobIndex } from './blob-index.ts'
import { decodeIndex, type IndexedPack } from './index-file.ts'
import { IndexScanner } from './index-scanner.ts'
import { readPackHeader } from './pack-file.ts'
import type { SealKeys } from './seal.ts'
import { assertNamedByHash, decodeUnpacked } from './unpacked.ts'

/** An index file that could not be used. What it held was looked up in the packs themselves. */
export interface UnreadableIndex {
  readonly id: string
  readonly reason: string
}

const filesAtOnce = 4
/** Index files of fewer bytes are read sooner than what reads many of them is loaded. */
const fewBytes = 64 * 1024

/** Throws `object-damaged`. */
export async function readIndexFile(backend: Backend, keys: SealKeys, id: string, signal?: AbortSignal): Promise<IndexedPack[]> {
  return decodeIndex(await readIndexJson(backend, keys, id, signal), `index ${shortId(id)}`)
}

async function readIndexJson(
  backend: Backend,
  keys: SealKeys,
  id: string,
  signal?: AbortSignal,
  scanner?: IndexScanner,
): Promise<Uint8Array> {
  const what = `index ${shortId(id)}`
  const stored = await backend.get('index', id, signal && { signal })
  assertNamedByHash(stored, id, what)
  return decodeUnpacked(keys, stored, what, scanner && ((bytes) => scanner.memory(bytes)))
}

/**
 * Fills the index of a repository, and adds what others have indexed since. An unreadable index file does not end the work: the packs that
 * no other index names are asked for their own headers.
 */
export class IndexLoader {
  readonly index: BlobIndex = createBlobIndex()
  readonly unreadable: UnreadableIndex[] = []
  /** Packs that no readable index file names, as their own headers describe them. */
  readonly fromHeaders: IndexedPack[] = []
  readonly #backend: Backend
  readonly #keys: SealKeys
  readonly #seen = new Set<string>()
  #scanner: IndexScanner | undefined

  constructor(backend: Backend, keys: SealKeys) {
    this.#backend = backend
    this.#keys = keys
  }

  /** An index file of our own: its packs are in the index already. */
  known(id: string): void {
    this.#seen.add(id)
  }

  /** Reads the index files that were not read before. Gives how many. */
  async loadNew(signal?: AbortSignal): Promise<number> {
    const listed = await Array.fromAsync(this.#backend.list('index', '', signal))
    const fresh = listed.filter(({ name }) => !this.#seen.has(name))
    const bytes = fresh.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
    if (bytes > fewBytes) this.#scanner ??= await IndexScanner.create()
    const unreadableBefore = this.unreadable.length
    const [first, ...others] = fresh.toSorted((a, b) => b.sizeBytes - a.sizeBytes)
    if (first !== undefined) {
      const before = this.index.size
      await this.#loadFile(first.name, signal)
      // The others will be like it: room for what they hold is made at once.
      this.index.reserve(before + Math.ceil(((this.index.size - before) * bytes) / first.sizeBytes))
    }
    await mapConcurrently(others, filesAtOnce, ({ name }) => this.#loadFile(name, signal))
    if (this.unreadable.length > unreadableBefore) await this.#indexFromPacks(signal)
    return fresh.length
  }

  async #loadFile(name: string, signal?: AbortSignal): Promise<void> {
    try {
      const json = await readIndexJson(this.#backend, this.#keys, name, signal, this.#scanner)
      // What is written in an unusual way is for the reader that says what is wrong with it, if anything is.
      if (this.#scanner?.addTo(this.index, json) !== true)
        for (const pack of decodeIndex(json, `index ${shortId(name)}`)) this.index.add(pack)
    } catch (error) {
      // Replaced by another one since it was listed; that one is read as new.
      if (isHoldfastError(error, 'object-missing')) return
      if (!isHoldfastError(error, 'object-damaged')) throw error
      this.unreadable.push({ id: name, reason: messageOf(error) })
    }
    this.#seen.add(name)
  }

  async #indexFromPacks(signal?: AbortSignal): Promise<void> {
    const packs = await Array.fromAsync(this.#backend.list('data', '', signal))
    const unnamed = packs.filter(({ name }) => !this.index.hasPack(name))
    await mapConcurrently(unnamed, filesAtOnce, async ({ name, sizeBytes }) => {
      try {
        const blobs = await readPackHeader(this.#backend, this.#keys, { id: name, sizeBytes }, signal)
        this.index.add({ id: name, blobs })
        this.fromHeaders.push({ id: name, blobs })
      } catch (error) {
        // Residue of a crash, or damaged itself: `check` tells which.
        if (!isHoldfastError(error, 'pack-damaged') && !isHoldfastError(error, 'object-missing')) throw error
      }
    })
  }
}
