import { closeSync, constants, ftruncateSync, openSync, unlinkSync, writeSync } from 'node:fs'

/** Open at a time: content comes in the order of packs, so that many files may be half-way at once. */
const maxOpen = 200

/** Files that are being written under temporary names beside their final ones. Few are open; the others are opened again when needed. */
export class OpenFiles implements Disposable {
  /** In order of their last use. */
  readonly #open = new Map<string, number>()
  readonly #at: (path: Buffer) => Buffer

  /** `at` gives what system calls take for a path. */
  constructor(at: (path: Buffer) => Buffer) {
    this.#at = at
  }

  /** Makes an empty file of the size; a hole until it is written. Fails when the name exists, be it as a link. */
  create(path: Buffer, sizeBytes: number): void {
    const { O_CREAT, O_EXCL, O_WRONLY, O_NOFOLLOW } = constants
    const file = openSync(this.#at(path), O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW, 0o600)
    this.#remember(path.toString('latin1'), file)
    if (sizeBytes > 0) ftruncateSync(file, sizeBytes)
  }

  /** Of a file that is there. */
  resize(path: Buffer, sizeBytes: number): void {
    ftruncateSync(this.#reopen(path), sizeBytes)
  }

  write(path: Buffer, bytes: Uint8Array, offset: number): void {
    const file = this.#reopen(path)
    for (let written = 0; written < bytes.length;)
      written += writeSync(file, bytes, written, bytes.length - written, offset + written)
  }

  close(path: Buffer): void {
    const key = path.toString('latin1')
    const file = this.#open.get(key)
    this.#open.delete(key)
    if (file !== undefined) closeSync(file)
  }

  remove(path: Buffer): void {
    this.close(path)
    unlinkSync(this.#at(path))
  }

  closeAll(): void {
    for (const file of this.#open.values()) closeSync(file)
    this.#open.clear()
  }

  [Symbol.dispose](): void {
    this.closeAll()
  }

  #reopen(path: Buffer): number {
    const key = path.toString('latin1')
    const open = this.#open.get(key)
    if (open !== undefined) {
      this.#open.delete(key)
      this.#open.set(key, open)
      return open
    }
    const file = openSync(this.#at(path), constants.O_WRONLY | constants.O_NOFOLLOW)
    this.#remember(key, file)
    return file
  }

  #remember(key: string, file: number): void {
    this.#open.set(key, file)
    if (this.#open.size <= maxOpen) return
    for (const [oldest, descriptor] of this.#open) {
      this.#open.delete(oldest)
      closeSync(descriptor)
      return
    }
  }
}
