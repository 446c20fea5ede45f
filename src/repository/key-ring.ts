import { HoldfastError, isHoldfastError, sha256Hex, shortId } from '../kernel/index.ts'
import type { Backend } from '../storage/index.ts'
import { decodeKeyFile, encodeKeyFile, masterKeyJson, type KeyFileOptions } from './key-file.ts'
import type { MasterKey } from './seal.ts'

/** A password's key file. What is said of it is not authenticated. */
export interface RepositoryKey {
  readonly id: string
  /** The repository was opened with it. */
  readonly current: boolean
  /** RFC 3339. These are absent when the file cannot be read. */
  readonly created?: string
  readonly username?: string
  readonly hostname?: string
}

/** The passwords of a repository: each has a key file, and all of these wrap the same master key, which no change of a password changes. */
export class KeyRing {
  readonly #backend: Backend
  readonly #master: MasterKey
  #current: string

  constructor(backend: Backend, master: MasterKey, current: string) {
    this.#backend = backend
    this.#master = master
    this.#current = current
  }

  /** The id of the key that the repository was opened with. */
  get current(): string {
    return this.#current
  }

  /** As JSON. Who has it can read everything, whatever becomes of the passwords. */
  masterKey(): string {
    return masterKeyJson(this.#master)
  }

  async list(signal?: AbortSignal): Promise<RepositoryKey[]> {
    const keys: RepositoryKey[] = []
    for await (const { name } of this.#backend.list('keys', '', signal)) {
      const current = name === this.#current
      keys.push({ id: name, current, ...(await this.#describe(name, signal)) })
    }
    return keys.toSorted((a, b) => (a.id < b.id ? -1 : 1))
  }

  /**
   * Makes a key for another password. It is read back and opened before this returns its id; one that does not open is removed again.
   * Throws `usage` for an empty password. Under a shared lock.
   */
  async add(password: string, options: KeyFileOptions = {}, signal?: AbortSignal): Promise<string> {
    if (password === '')
      throw new HoldfastError('usage', { message: 'the new password is empty', hint: 'give one that nobody guesses' })
    const file = await encodeKeyFile(this.#master, password, options)
    const id = sha256Hex(file)
    await this.#backend.put('keys', id, file, signal && { signal })
    try {
      await this.#assertOpens(id, password, signal)
    } catch (error) {
      await this.#backend.delete('keys', id)
      throw error
    }
    return id
  }

  /** Removes a key other than the current one, which must be there and whole. Under an exclusive lock. */
  async remove(id: string, signal?: AbortSignal): Promise<void> {
    if (id === this.#current)
      throw new HoldfastError('usage', {
        message: `key ${shortId(id)} is the one that the repository was opened with`,
        hint: 'open it with another password to remove this one, or change it with `holdfast key passwd`',
      })
    await this.#assertWhole(this.#current, signal)
    await this.#backend.delete('keys', id, signal)
  }

  /** Puts another password in the place of the current one: the old one is removed when the new one has opened. Under an exclusive lock. */
  async changePassword(password: string, options: KeyFileOptions = {}, signal?: AbortSignal): Promise<string> {
    const old = this.#current
    this.#current = await this.add(password, options, signal)
    await this.remove(old, signal)
    return this.#current
  }

  async #describe(id: string, signal?: AbortSignal): Promise<Pick<RepositoryKey, 'created' | 'username' | 'hostname'>> {
    try {
      const stored = await this.#backend.get('keys', id, signal && { signal })
      const fields = JSON.parse(Buffer.from(stored).toString('utf8')) as Readonly<Record<string, unknown>>
      const { created, username, hostname } = fields
      return {
        ...(typeof created === 'string' && { created }),
        ...(typeof username === 'string' && { username }),
        ...(typeof hostname === 'string' && { hostname }),
      }
    } catch (error) {
      // What it says of itself is for people only.
      if (error instanceof SyntaxError || error instanceof TypeError || isHoldfastError(error, 'object-missing')) return {}
      throw error
    }
  }

  async #assertOpens(id: string, password: string, signal?: AbortSignal): Promise<void> {
    const stored = await this.#assertWhole(id, signal)
    const opened = await decodeKeyFile(stored, password, `key ${shortId(id)}`)
    if (opened !== undefined && masterKeyJson(opened) === masterKeyJson(this.#master)) return
    throw new HoldfastError('internal', {
      message: `the new key ${shortId(id)} does not open the repository; it was removed`,
      hint: 'suspect the memory or the processor of this machine: run a memory test',
    })
  }

  async #assertWhole(id: string, signal?: AbortSignal): Promise<Uint8Array> {
    const stored = await this.#backend.get('keys', id, signal && { signal })
    if (sha256Hex(stored) === id) return stored
    throw new HoldfastError('object-damaged', {
      message: `key ${shortId(id)} does not match its name: its ${stored.length} bytes were altered or truncated`,
      hint: `bring back keys/${id} from a copy of the repository before anything is changed`,
      details: { kind: 'keys', name: id },
    })
  }
}
