import {
  backup,
  checkRepository,
  copySnapshots,
  forget,
  listTree,
  prune,
  readFile,
  restoreSnapshot,
  unixPermissions,
} from '../backup/index.ts'
import { HoldfastError } from '../kernel/index.ts'
import { selectSnapshots, type Repository as Opened, type Snapshot as Stored, type SnapshotFilter } from '../repository/index.ts'
import { createFilesSource } from '../sources/index.ts'
import type { BackupOptions, Entry, ForgetOptions, Repository, RestoreOptions, Snapshot } from './contract.ts'

const never = new AbortController().signal
const ignore = () => {}

/** See Repository: the verbs of `backup/` on one repository. */
export class LibraryRepository implements Repository {
  readonly #opened: Opened

  constructor(opened: Opened) {
    this.#opened = opened
  }

  get id() {
    return this.#opened.id
  }

  get location() {
    return this.#opened.location
  }

  async snapshots(filter: SnapshotFilter = {}, signal?: AbortSignal) {
    return (await this.#matching(filter, signal)).map((stored) => toSnapshot(stored))
  }

  backup(paths: readonly string[], { signal = never, onProgress = ignore, ...options }: BackupOptions = {}) {
    const { tags, excludes, oneFileSystem, host, skipIfUnchanged, dryRun } = options
    const source = createFilesSource({
      paths,
      ...(tags && { tags }),
      ...(excludes && { excludes }),
      ...(oneFileSystem !== undefined && { oneFileSystem }),
    })
    const job = {
      repository: this.#opened,
      source,
      ...(host !== undefined && { host }),
      ...(skipIfUnchanged !== undefined && { skipIfUnchanged }),
      ...(dryRun !== undefined && { dryRun }),
    }
    return backup(job, onProgress, signal)
  }

  async restore(id: string, target: string, { signal = never, onProgress = ignore, folder, ...options }: RestoreOptions = {}) {
    const snapshot = await this.#opened.findSnapshot(id, {}, signal)
    const job = { repository: this.#opened, snapshot, target, ...(folder !== undefined && { subtree: folder }), ...options }
    return restoreSnapshot(job, onProgress, signal)
  }

  async *entries(id: string, path?: string, signal?: AbortSignal): AsyncGenerator<Entry> {
    const snapshot = await this.#opened.findSnapshot(id, {}, signal)
    for await (const { path: bytes, node } of listTree(
      { repository: this.#opened, snapshot, ...(path !== undefined && { path }) },
      signal,
    ))
      yield {
        path: bytes.toString(),
        type: node.type,
        modified: new Date(Number(node.mtime / 1_000_000n)),
        mode: unixPermissions(node.mode),
        uid: node.uid,
        gid: node.gid,
        ...(node.type === 'file' && { sizeBytes: node.size ?? 0n }),
        ...(node.linkTarget && { linkTarget: node.linkTarget.toString() }),
      }
  }

  async *read(id: string, path: string, signal: AbortSignal = never): AsyncGenerator<Uint8Array> {
    const snapshot = await this.#opened.findSnapshot(id, {}, signal)
    yield* readFile({ repository: this.#opened, snapshot, path }, signal)
  }

  check({ signal = never, onProgress = ignore, readData = false }: Parameters<Repository['check']>[0] = {}) {
    return checkRepository({ repository: this.#opened, readData }, onProgress, signal)
  }

  forget(rules: Parameters<Repository['forget']>[0], { signal = never, ...options }: ForgetOptions = {}) {
    return forget({ repository: this.#opened, rules, ...options }, signal)
  }

  prune({ signal = never, onProgress = ignore, ...options }: Parameters<Repository['prune']>[0] = {}) {
    return prune({ repository: this.#opened, ...options }, onProgress, signal)
  }

  async copyTo(other: Repository, { signal = never, onProgress = ignore, filter }: Parameters<Repository['copyTo']>[1] = {}) {
    if (!(other instanceof LibraryRepository))
      throw new HoldfastError('usage', { message: `${other.location} was not opened by this program` })
    const snapshots = await this.#matching(filter ?? {}, signal)
    return copySnapshots({ from: this.#opened, to: other.#opened, snapshots }, onProgress, signal)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#opened[Symbol.asyncDispose]()
  }

  /** None is no error here. */
  async #matching(filter: SnapshotFilter, signal?: AbortSignal): Promise<Stored[]> {
    if ((await this.#opened.snapshotIds(signal)).length === 0) return []
    return selectSnapshots(this.#opened, { filter }, signal)
  }
}

function toSnapshot({ id, timeMs, hostname = '', paths, tags = [], original }: Stored): Snapshot {
  return { id, time: new Date(timeMs), hostname, paths, tags, ...(original !== undefined && { original }) }
}
