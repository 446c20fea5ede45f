import { lstat, mkdir, open, readdir, stat, unlink } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { diskFullOr, HoldfastError, isHoldfastError, messageOf, syncDirectory, systemCode } from '../../kernel/index.ts'
import type { Backend, GetOptions, Leftover, ObjectInfo, ObjectKind, Occupancy, PutOptions } from '../backend.ts'
import { alreadyExists, assertObjectName, isObjectName, objectLabel, objectMissing, shortRead } from '../object-names.ts'
import { objectPath, repositoryFolders } from './layout.ts'
import { findLeftovers, isLeftoverName } from './leftovers.ts'
import { modesOf, type Modes } from './modes.ts'
import { makeFolders, writeObject } from './write-object.ts'

/**
 * A repository in a folder of a local or mounted file system. The folder need not exist yet.
 * Throws `not-a-repository` when the path is something else than a folder, `permission-denied` when it may not be read.
 */
export async function openLocalBackend(path: string): Promise<Backend> {
  const root = resolve(path)
  try {
    const found = await stat(root)
    if (!found.isDirectory())
      throw new HoldfastError('not-a-repository', {
        message: `${root} is a file, not a repository`,
        hint: 'give the folder that holds the repository',
        details: { location: root },
      })
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw asStorageError(error, root)
  }
  return new LocalBackend(root)
}

const statsAtOnce = 64

class LocalBackend implements Backend {
  readonly location: string
  #modes: Modes | undefined

  constructor(root: string) {
    this.location = root
  }

  async occupancy(signal?: AbortSignal): Promise<Occupancy> {
    signal?.throwIfAborted()
    try {
      // A mount point of its own may hold this folder and nothing else.
      const names = (await readdir(this.location)).filter((name) => name !== 'lost+found')
      return names.length === 0 ? 'empty' : 'occupied'
    } catch (error) {
      if (systemCode(error) === 'ENOENT') return 'missing'
      throw asStorageError(error, this.location)
    }
  }

  async prepare(signal?: AbortSignal): Promise<void> {
    try {
      const modes = await modesOf(this.location)
      await makeFolders(this.location, modes)
      for (const folder of repositoryFolders(this.location)) {
        signal?.throwIfAborted()
        await mkdir(folder, { mode: modes.folder, recursive: true })
      }
      await syncDirectory(join(this.location, 'data'))
      await syncDirectory(this.location)
    } catch (error) {
      throw asStorageError(error, this.location)
    }
  }

  async *list(kind: ObjectKind, prefix = '', signal?: AbortSignal): AsyncIterable<ObjectInfo> {
    signal?.throwIfAborted()
    if (kind === 'config') {
      const config = await this.stat('config', '')
      if (config) yield config
      return
    }
    let names: string[] = []
    for await (const name of this.#names(kind, prefix)) {
      if (!name.startsWith(prefix) || !isObjectName(kind, name)) continue
      names.push(name)
      if (names.length < statsAtOnce) continue
      yield* await this.#infos(kind, names, signal)
      names = []
    }
    yield* await this.#infos(kind, names, signal)
  }

  /** Of those that are still there. One after the other takes three times the processor time, and as long as all of them on a mounted file system. */
  async #infos(kind: ObjectKind, names: readonly string[], signal?: AbortSignal): Promise<ObjectInfo[]> {
    signal?.throwIfAborted()
    const infos = await Promise.all(names.map((name) => this.stat(kind, name)))
    return infos.filter((info) => info !== undefined)
  }

  async *#names(kind: ObjectKind, prefix: string): AsyncIterable<string> {
    if (kind === 'data') {
      for (const folder of await this.#read('data')) {
        if (!/^[0-9a-f]{2}$/.test(folder.name) || !folder.name.startsWith(prefix.slice(0, 2))) continue
        for (const file of await this.#read(join('data', folder.name))) yield file.name
      }
    } else {
      // Only the folders that can hold names with this prefix are read.
      yield* this.#walk(kind, prefix.slice(0, Math.max(0, prefix.lastIndexOf('/'))))
    }
  }

  async *#walk(kind: ObjectKind, folder: string): AsyncIterable<string> {
    for (const entry of await this.#read(join(kind, folder))) {
      const name = folder === '' ? entry.name : `${folder}/${entry.name}`
      if (entry.isDirectory()) yield* this.#walk(kind, name)
      else yield name
    }
  }

  async #read(folder: string) {
    try {
      return await readdir(join(this.location, folder), { withFileTypes: true })
    } catch (error) {
      const code = systemCode(error)
      if (code === 'ENOENT' || code === 'ENOTDIR') return []
      throw asStorageError(error, join(this.location, folder))
    }
  }

  async stat(kind: ObjectKind, name: string, signal?: AbortSignal): Promise<ObjectInfo | undefined> {
    signal?.throwIfAborted()
    if (!isObjectName(kind, name)) return undefined
    const path = objectPath(this.location, kind, name)
    try {
      const info = await lstat(path)
      return info.isFile() ? { name, sizeBytes: info.size } : undefined
    } catch (error) {
      const code = systemCode(error)
      if (code === 'ENOENT' || code === 'ENOTDIR') return undefined
      throw asStorageError(error, path)
    }
  }

  async get(kind: ObjectKind, name: string, { range, into, signal }: GetOptions = {}): Promise<Uint8Array> {
    signal?.throwIfAborted()
    if (!isObjectName(kind, name)) throw objectMissing(kind, name, this.location)
    const path = objectPath(this.location, kind, name)
    try {
      const handle = await open(path, 'r')
      try {
        const { size } = await handle.stat()
        const { offset, length } = range ?? { offset: 0, length: size }
        if (offset + length > size) throw shortRead(kind, name, size, offset + length)
        const bytes = into !== undefined && into.length >= length ? into.subarray(0, length) : Buffer.allocUnsafe(length)
        for (let done = 0; done < length;) {
          const { bytesRead } = await handle.read(bytes, done, length - done, offset + done)
          if (bytesRead === 0) throw shortRead(kind, name, offset + done, offset + length)
          done += bytesRead
        }
        return bytes
      } finally {
        await handle.close()
      }
    } catch (error) {
      const code = systemCode(error)
      if (code === 'ENOENT' || code === 'ENOTDIR') throw objectMissing(kind, name, this.location)
      throw asStorageError(error, path)
    }
  }

  async put(
    kind: ObjectKind,
    name: string,
    bytes: Uint8Array | readonly Uint8Array[],
    { ifAbsent = false, signal }: PutOptions = {},
  ): Promise<void> {
    signal?.throwIfAborted()
    assertObjectName(kind, name)
    const path = objectPath(this.location, kind, name)
    const pieces = bytes instanceof Uint8Array ? [bytes] : bytes
    this.#modes ??= await modesOf(this.location)
    try {
      await writeObject(path, pieces, this.#modes, ifAbsent)
    } catch (error) {
      if (systemCode(error) === 'EEXIST') throw alreadyExists(kind, name)
      throw asStorageError(error, path)
    }
  }

  async delete(kind: ObjectKind, name: string, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted()
    assertObjectName(kind, name)
    const path = objectPath(this.location, kind, name)
    try {
      await unlink(path)
      await syncDirectory(dirname(path))
    } catch (error) {
      const code = systemCode(error)
      if (code === 'ENOENT' || code === 'ENOTDIR') return
      throw asStorageError(error, objectLabel(kind, name))
    }
  }

  async *leftovers(signal?: AbortSignal): AsyncIterable<Leftover> {
    try {
      yield* findLeftovers(this.location, signal)
    } catch (error) {
      throw asStorageError(error, this.location)
    }
  }

  async removeLeftover(name: string, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted()
    if (!isLeftoverName(name)) throw new HoldfastError('internal', { message: `'${name}' is no temporary file of a repository` })
    const path = join(this.location, name)
    try {
      await unlink(path)
    } catch (error) {
      if (systemCode(error) !== 'ENOENT') throw asStorageError(error, path)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}

function asStorageError(error: unknown, path: string): unknown {
  if (isHoldfastError(error)) return error
  const known = diskFullOr(error, path)
  if (known !== error) return known
  const code = systemCode(error)
  // An aborted signal's reason, or a defect: not the storage's.
  if (code === undefined) return error
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS')
    return new HoldfastError('permission-denied', {
      message: messageOf(error),
      hint: code === 'EROFS' ? 'the file system is mounted read-only' : 'run as a user that may read and write it',
      cause: error,
      details: { path },
    })
  return new HoldfastError('storage-failed', {
    message: messageOf(error),
    cause: error,
    retryable: code === 'EIO' || code === 'EMFILE' || code === 'ENFILE' || code === 'ETIMEDOUT' || code === 'ESTALE',
    details: { path, systemCode: code },
  })
}
