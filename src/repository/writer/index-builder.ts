import type { IndexedPack } from '../index-file.ts'

/** Limits of restic: an index is written when it names so many blobs, or its first pack is so old. What is indexed survives an interruption. */
const maxBlobs = 50_000
const maxAgeMs = 10 * 60_000

export type StoreIndex = (packs: readonly IndexedPack[], signal?: AbortSignal) => Promise<void>

/** Collects stored packs and names them in index files, all blobs of a pack in one. */
export class IndexBuilder {
  readonly #store: StoreIndex
  readonly #now: () => number
  #packs: IndexedPack[] = []
  #blobs = 0
  #sinceMs = 0

  /** `now` gives monotonic milliseconds. `unnamed` are durable packs that lack an index: they go into the first one. */
  constructor(store: StoreIndex, now: () => number, unnamed: readonly IndexedPack[] = []) {
    this.#store = store
    this.#now = now
    this.#packs = [...unnamed]
    this.#sinceMs = now()
    for (const { blobs } of unnamed) this.#blobs += blobs.length
  }

  /** The pack must be durable already. */
  async add({ id, blobs }: IndexedPack, signal?: AbortSignal): Promise<void> {
    if (this.#packs.length === 0) this.#sinceMs = this.#now()
    this.#packs.push({ id, blobs })
    this.#blobs += blobs.length
    if (this.#blobs >= maxBlobs || this.#now() - this.#sinceMs >= maxAgeMs) await this.flush(signal)
  }

  /** Every pack added before is named by a durable index when this returns. */
  async flush(signal?: AbortSignal): Promise<void> {
    if (this.#packs.length === 0) return
    const packs = this.#packs
    this.#packs = []
    this.#blobs = 0
    await this.#store(packs, signal)
  }
}
