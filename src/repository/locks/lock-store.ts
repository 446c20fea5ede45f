import { isHoldfastError, sha256Hex, shortId } from '../../kernel/index.ts'
import type { Backend } from '../../storage/index.ts'
import type { SealKeys } from '../seal.ts'
import { decodeUnpacked, encodeUnpacked } from '../unpacked.ts'
import { decodeLock, encodeLock, type LockInfo } from './lock-file.ts'

/** What stands in `locks/`. A lock that cannot be read counts as one: who wrote it may be at work. */
export interface FoundLock {
  readonly id: string
  readonly info: LockInfo | undefined
}

/** The lock files of a repository. */
export class LockStore {
  readonly #backend: Backend
  readonly #keys: SealKeys
  readonly #version: 1 | 2

  constructor(backend: Backend, keys: SealKeys, version: 1 | 2) {
    this.#backend = backend
    this.#keys = keys
    this.#version = version
  }

  /** Empty files are left out: a writer died before it had a lock. */
  async list(signal?: AbortSignal): Promise<FoundLock[]> {
    const found: FoundLock[] = []
    for await (const { name, sizeBytes } of this.#backend.list('locks', '', signal)) {
      if (sizeBytes === 0) continue
      const lock = await this.#read(name, signal)
      if (lock) found.push(lock)
    }
    return found
  }

  async #read(id: string, signal?: AbortSignal): Promise<FoundLock | undefined> {
    try {
      const stored = await this.#backend.get('locks', id, signal && { signal })
      return { id, info: decodeLock(id, decodeUnpacked(this.#keys, stored, `lock ${shortId(id)}`)) }
    } catch (error) {
      // Given back since it was listed.
      if (isHoldfastError(error, 'object-missing')) return undefined
      if (isHoldfastError(error, 'object-damaged')) return { id, info: undefined }
      throw error
    }
  }

  /** Every file in `locks/`, empty ones too. */
  async ids(signal?: AbortSignal): Promise<string[]> {
    const found = await Array.fromAsync(this.#backend.list('locks', '', signal))
    return found.map(({ name }) => name)
  }

  async exists(id: string): Promise<boolean> {
    return (await this.#backend.stat('locks', id)) !== undefined
  }

  async write(exclusive: boolean, nowMs: number, signal?: AbortSignal): Promise<string> {
    const stored = encodeUnpacked(this.#keys, encodeLock(exclusive, nowMs), this.#version)
    const id = sha256Hex(stored)
    await this.#backend.put('locks', id, stored, signal && { signal })
    return id
  }

  async remove(id: string): Promise<void> {
    await this.#backend.delete('locks', id)
  }
}
