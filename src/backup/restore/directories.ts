import { chmodSync, closeSync, constants, existsSync, openSync } from 'node:fs'
import { HoldfastError, systemCode } from '../../kernel/index.ts'

/** Open at a time. */
const maxOpen = 200
/** Linux's O_PATH, which Node does not name: opens a name for reaching it, not for reading, and needs no right to read. */
const pathOnly = 0o10_000_000
const { O_DIRECTORY, O_NOFOLLOW } = constants
const descriptors = '/proc/self/fd'

/**
 * The directories of a target, each opened below its parent and kept open. Entries are named by way of their open directory: when somebody
 * puts a symbolic link in a directory's place meanwhile, nothing is written through it. (Node has no openat; /proc/self/fd does the same.)
 *
 * Without /proc, paths stay what they are, and a link is only noticed when it was there before.
 */
export class TargetDirectories implements Disposable {
  readonly #root: string
  /** By path as latin1 text, in order of their last use. */
  readonly #open = new Map<string, number>()
  /** What was asked for last is often asked for again. It is the last in the map, so it is never the one that is closed. */
  #last: { readonly path: Buffer; readonly prefix: Buffer } = { path: Buffer.alloc(0), prefix: Buffer.alloc(0) }
  readonly #usable = process.platform === 'linux' && existsSync(descriptors)

  /** `root` is the target: absolute, and without symbolic links. */
  constructor(root: Buffer) {
    this.#root = root.toString('latin1')
  }

  /** What system calls take for an entry, given its path under the root. Throws `target-unsafe` when its directory is none any more. */
  readonly at = (path: Buffer): Buffer => {
    if (!this.#usable) return path
    const slash = path.lastIndexOf(0x2f)
    const directory = path.subarray(0, slash)
    if (!this.#last.path.equals(directory)) {
      const descriptor = this.#descriptor(directory.toString('latin1'))
      this.#last = { path: directory, prefix: Buffer.from(`${descriptors}/${descriptor}`) }
    }
    return Buffer.concat([this.#last.prefix, path.subarray(slash)])
  }

  /** Sets the mode of an entry that is no link; of one that has become a link, nothing. */
  setMode(path: Buffer, mode: number): void {
    if (!this.#usable) {
      chmodSync(path, mode)
      return
    }
    const entry = openSync(this.at(path), pathOnly | O_NOFOLLOW)
    try {
      chmodSync(`${descriptors}/${entry}`, mode)
    } finally {
      closeSync(entry)
    }
  }

  /** A message of a failed call, with the path that its reader knows. */
  inWords(message: string): string {
    return message.replaceAll(/\/proc\/self\/fd\/(\d+)(?=\/)/g, (shown, descriptor) => {
      for (const [path, open] of this.#open) if (open === Number(descriptor)) return Buffer.from(path, 'latin1').toString()
      return shown
    })
  }

  [Symbol.dispose](): void {
    for (const directory of this.#open.values()) closeSync(directory)
    this.#open.clear()
  }

  #descriptor(path: string): number {
    const known = this.#open.get(path)
    if (known !== undefined) {
      this.#open.delete(path)
      this.#open.set(path, known)
      return known
    }
    const opened = path === this.#root ? openSync(Buffer.from(path, 'latin1'), pathOnly | O_DIRECTORY) : this.#openBelow(path)
    this.#open.set(path, opened)
    if (this.#open.size > maxOpen) this.#closeOldest()
    return opened
  }

  #openBelow(path: string): number {
    const below = this.at(Buffer.from(path, 'latin1'))
    try {
      return openSync(below, pathOnly | O_DIRECTORY | O_NOFOLLOW)
    } catch (error) {
      if (systemCode(error) !== 'ENOTDIR' && systemCode(error) !== 'ELOOP') throw error
      throw throughLink(Buffer.from(path, 'latin1').toString())
    }
  }

  #closeOldest(): void {
    for (const [path, directory] of this.#open) {
      this.#open.delete(path)
      closeSync(directory)
      return
    }
  }
}

export function throughLink(path: string): HoldfastError {
  return new HoldfastError('target-unsafe', {
    message: `refused to restore through ${path}: it is not a directory but a link or a file`,
    hint: 'remove it, or restore into a new directory',
    details: { path },
  })
}
