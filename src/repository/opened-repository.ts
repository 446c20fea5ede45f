import { HoldfastError, isHoldfastError, mapConcurrently, sha256Hex, shortId, systemClock, type Clock } from '../kernel/index.ts'
import type { Backend, SealedArea } from '../storage/index.ts'
import type { BlobIndex } from './blob-index.ts'
import type { ThreadKeys } from './blob-opener.ts'
import type { BlobEntry, BlobType } from './blob.ts'
import type { RepositoryConfig } from './config.ts'
import type { Repository, StandingLock } from './contract.ts'
import { createBlobCopier, type CopierOptions } from './copier/blob-copier.ts'
import type { BlobCopier } from './copier/contract.ts'
import { newestSnapshot, snapshotNotFound, uniqueId, type SnapshotFilter } from './find-snapshot.ts'
import { encodeIndex, type IndexedPack } from './index-file.ts'
import { IndexLoader, readIndexFile } from './index-loader.ts'
import { KeyRing } from './key-ring.ts'
import { acquireLock } from './locks/acquire.ts'
import { HeldLock, resticLockTimes, type LockTimes, type RepositoryLock } from './locks/held-lock.ts'
import { withReadingHint } from './locks/reading-hint.ts'
import { ignoreHangup } from './locks/ignore-hangup.ts'
import { isStale } from './locks/lock-file.ts'
import { LockStore } from './locks/lock-store.ts'
import { readPackHeader } from './pack-file.ts'
import { readBlob, readTreeText } from './read-blob.ts'
import { readPackBlobs, readPackRanges, type RangeOptions } from './read-pack.ts'
import { openSealedArea, type AreaKind } from './sealed-area.ts'
import { sealKeys, type MasterKey, type SealKeys } from './seal.ts'
import { changeSnapshot, decodeSnapshot, encodeSnapshot } from './snapshot.ts'
import type { Snapshot, SnapshotChanges, SnapshotRecord } from './snapshot.ts'
import { decodeTree } from './tree/decode.ts'
import type { TreeNode } from './tree/node.ts'
import { TreeNodes } from './tree/tree-nodes.ts'
import { assertNamedByHash, decodeUnpacked, encodeUnpacked } from './unpacked.ts'
import { createBlobWriter, type WriterOptions, type WriterParts } from './writer/blob-writer.ts'
import type { BlobWriter } from './writer/contract.ts'

const filesAtOnce = 8

export interface OpenedParts {
  readonly backend: Backend
  readonly masterKey: MasterKey
  /** The key file that it was opened with. */
  readonly keyId: string
  readonly config: RepositoryConfig
  readonly clock?: Clock
  readonly lockTimes?: LockTimes
}

/** See Repository. */
export class OpenedRepository implements Repository {
  readonly backend: Backend
  readonly config: RepositoryConfig
  readonly keys: KeyRing
  readonly #masterKey: MasterKey
  readonly #keys: SealKeys
  readonly #clock: Clock
  readonly #lockTimes: LockTimes
  readonly #locks: LockStore
  #loader: IndexLoader
  #loading: Promise<number> | undefined

  constructor({ backend, masterKey, keyId, config, clock = systemClock, lockTimes = resticLockTimes }: OpenedParts) {
    this.backend = backend
    this.config = config
    this.#masterKey = masterKey
    this.#keys = sealKeys(masterKey)
    this.#clock = clock
    this.#lockTimes = lockTimes
    this.keys = new KeyRing(backend, masterKey, keyId)
    this.#locks = new LockStore(backend, this.#keys, config.version)
    this.#loader = new IndexLoader(backend, this.#keys)
  }

  get id(): string {
    return this.config.id
  }

  get location(): string {
    return this.backend.location
  }

  get unreadableIndexes() {
    return this.#loader.unreadable
  }

  area(kind: AreaKind): SealedArea {
    return openSealedArea(this.backend, this.#keys, kind)
  }

  async lock(
    mode: 'shared' | 'exclusive',
    { retryForMs = 0 }: { readonly retryForMs?: number } = {},
    signal?: AbortSignal,
  ): Promise<RepositoryLock> {
    const hangup = ignoreHangup()
    try {
      const exclusive = mode === 'exclusive'
      const { settleMs } = this.#lockTimes
      const id = await acquireLock(this.#locks, this.#clock, { exclusive, retryForMs, settleMs }, signal)
      return new HeldLock(this.#locks, { id, mode, hangup }, this.#clock, this.#lockTimes)
    } catch (error) {
      hangup[Symbol.dispose]()
      throw mode === 'shared' ? withReadingHint(error) : error
    }
  }

  async locks(signal?: AbortSignal): Promise<StandingLock[]> {
    const nowMs = this.#clock.now().getTime()
    const found = await this.#locks.list(signal)
    return found.map(({ id, info }) => ({ id, info, stale: info !== undefined && isStale(info, nowMs) }))
  }

  async unlock({ all = false }: { readonly all?: boolean } = {}, signal?: AbortSignal): Promise<StandingLock[]> {
    const standing = await this.locks(signal)
    const removed = standing.filter(({ stale }) => all || stale)
    for (const { id } of removed) await this.#locks.remove(id)
    if (all) for (const id of await this.#locks.ids(signal)) await this.#locks.remove(id)
    return removed
  }

  async loadIndex(signal?: AbortSignal): Promise<BlobIndex> {
    this.#loading ??= this.#loader.loadNew(signal)
    try {
      await this.#loading
    } catch (error) {
      this.#loading = undefined
      throw error
    }
    return this.#loader.index
  }

  async refreshIndex(signal?: AbortSignal): Promise<BlobIndex> {
    await this.#loading
    this.#loading = this.#loader.loadNew(signal)
    return this.loadIndex(signal)
  }

  dropIndex(): void {
    this.#loading = undefined
    this.#loader = new IndexLoader(this.backend, this.#keys)
  }

  async setAsideLostPacks(signal?: AbortSignal): Promise<string[]> {
    const index = await this.loadIndex(signal)
    const sizes = new Map<string, number>()
    for await (const { name, sizeBytes } of this.backend.list('data', '', signal)) sizes.set(name, sizeBytes)
    const lost = [...index.packs()].filter(({ id, sizeBytes }) => sizes.get(id) !== sizeBytes).map(({ id }) => id)
    for (const pack of lost) index.setAside(pack)
    return lost
  }

  readBlob(type: BlobType, id: string, signal?: AbortSignal): Promise<Uint8Array> {
    return readBlob(this, this.#keys, { type, id }, signal)
  }

  get threadKeys(): ThreadKeys {
    return { secrets: this.#masterKey }
  }

  readPackRanges(pack: string, entries: readonly BlobEntry[], options?: RangeOptions) {
    return readPackRanges(this.backend, pack, entries, options)
  }

  readPackBlobs(pack: string, entries: readonly BlobEntry[], signal?: AbortSignal) {
    return readPackBlobs(this.backend, this.#keys, pack, entries, signal)
  }

  async openTree(id: string, signal?: AbortSignal): Promise<TreeNodes> {
    return new TreeNodes(await readTreeText(this, this.#keys, id, signal), `tree ${shortId(id)}`)
  }

  async readTree(id: string, signal?: AbortSignal): Promise<TreeNode[]> {
    return decodeTree(await this.readBlob('tree', id, signal), `tree ${shortId(id)}`)
  }

  async snapshotIds(signal?: AbortSignal): Promise<string[]> {
    return [...(await this.snapshotSizes(signal)).keys()].sort()
  }

  async snapshotSizes(signal?: AbortSignal): Promise<Map<string, number>> {
    const listed = await Array.fromAsync(this.backend.list('snapshots', '', signal))
    return new Map(listed.map(({ name, sizeBytes }) => [name, sizeBytes]))
  }

  async snapshots(signal?: AbortSignal, onDamaged?: (id: string, error: HoldfastError) => void): Promise<Snapshot[]> {
    const ids = await this.snapshotIds(signal)
    const found = await mapConcurrently(ids, filesAtOnce, async (id) => {
      try {
        return await this.readSnapshot(id, signal)
      } catch (error) {
        // Forgotten since it was listed.
        if (isHoldfastError(error, 'object-missing')) return undefined
        if (onDamaged === undefined || !isHoldfastError(error, 'object-damaged')) throw error
        onDamaged(id, error)
        return undefined
      }
    })
    return found.filter((snapshot) => snapshot !== undefined).sort((a, b) => a.timeMs - b.timeMs)
  }

  async readSnapshot(id: string, signal?: AbortSignal): Promise<Snapshot> {
    const stored = await this.#storedSnapshot(id, signal)
    return decodeSnapshot(id, decodeUnpacked(this.#keys, stored, `snapshot ${shortId(id)}`))
  }

  async verifySnapshot(id: string, signal?: AbortSignal): Promise<void> {
    await this.#storedSnapshot(id, signal)
  }

  async #storedSnapshot(id: string, signal?: AbortSignal): Promise<Uint8Array> {
    const stored = await this.backend.get('snapshots', id, signal && { signal })
    assertNamedByHash(stored, id, `snapshot ${shortId(id)}`)
    return stored
  }

  async findSnapshot(idOrLatest: string, filter: SnapshotFilter = {}, signal?: AbortSignal): Promise<Snapshot> {
    if (idOrLatest !== 'latest') return this.readSnapshot(uniqueId(await this.snapshotIds(signal), idOrLatest), signal)
    const newest = newestSnapshot(await this.snapshots(signal), filter, this.#clock.now().getTime())
    if (newest) return newest
    throw snapshotNotFound(`no snapshot in ${this.location} matches`)
  }

  async saveSnapshot(record: SnapshotRecord, signal?: AbortSignal): Promise<Snapshot> {
    const raw = encodeSnapshot(record)
    return decodeSnapshot(await this.#save('snapshots', raw, signal), raw)
  }

  async rewriteSnapshot({ raw }: Snapshot, changes: SnapshotChanges, signal?: AbortSignal): Promise<Snapshot> {
    const changed = changeSnapshot(raw, changes)
    return decodeSnapshot(await this.#save('snapshots', changed, signal), changed)
  }

  async forgetSnapshot(id: string, signal?: AbortSignal): Promise<void> {
    await this.backend.delete('snapshots', id, signal)
  }

  async readUnpacked(kind: 'index' | 'snapshots' | 'locks', id: string, signal?: AbortSignal): Promise<Uint8Array> {
    const stored = await this.backend.get(kind, id, signal && { signal })
    return decodeUnpacked(this.#keys, stored, `${kind}/${shortId(id)}`)
  }

  async #save(kind: 'snapshots' | 'index', body: Uint8Array, signal?: AbortSignal): Promise<string> {
    const stored = encodeUnpacked(this.#keys, body, this.config.version)
    const id = sha256Hex(stored)
    await this.backend.put(kind, id, stored, signal && { signal })
    return id
  }

  async createWriter(options?: WriterOptions): Promise<BlobWriter> {
    return createBlobWriter(await this.#writerParts(), options)
  }

  async createCopier(source: Repository, options?: CopierOptions): Promise<BlobCopier> {
    if (!(source instanceof OpenedRepository))
      throw new HoldfastError('internal', { message: `${source.location} was not opened by this program` })
    const { backend, config } = source
    return createBlobCopier({ backend, config, masterKey: source.#masterKey }, await this.#writerParts(), options)
  }

  async #writerParts(): Promise<WriterParts> {
    return {
      backend: this.backend,
      masterKey: this.#masterKey,
      config: this.config,
      index: await this.loadIndex(),
      unnamed: this.#loader.fromHeaders.splice(0),
      storeIndex: async (packs, signal) => void (await this.saveIndex(packs, signal)),
    }
  }

  readIndex(id: string, signal?: AbortSignal): Promise<IndexedPack[]> {
    return readIndexFile(this.backend, this.#keys, id, signal)
  }

  async saveIndex(packs: readonly IndexedPack[], signal?: AbortSignal): Promise<string> {
    const id = await this.#save('index', encodeIndex(packs), signal)
    this.#loader.known(id)
    return id
  }

  readPackHeader(pack: { readonly id: string; readonly sizeBytes: number }, signal?: AbortSignal): Promise<BlobEntry[]> {
    return readPackHeader(this.backend, this.#keys, pack, signal)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.backend[Symbol.asyncDispose]() as Promise<void>
  }
}
