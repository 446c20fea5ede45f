import { constants, copyFileSync, lstatSync, renameSync } from 'node:fs'
import { randomHex } from '../../kernel/index.ts'
import type { TargetDirectories } from './directories.ts'
import { identityOf } from './kept-content.ts'
import { OpenFiles } from './open-files.ts'
import type { PlannedFile } from './plan.ts'

interface Part {
  readonly temporary: Buffer
  /** It is the file that had the name: nothing is left of that but this. */
  readonly takenOver: boolean
  isWrittenTo: boolean
}

/**
 * Files that are made in parts, under temporary names beside their own. One of which the target has some content already begins as what is
 * there: as a clone of it where the file system makes those without copying, else it is that file itself, under the temporary name. So no
 * name ever has half of one state and half of another, and whatever happens meanwhile, the file is restored whole the next time.
 */
export class PartFiles implements Disposable {
  readonly #directories: TargetDirectories
  readonly #files: OpenFiles
  readonly #begun = new Map<PlannedFile, Part>()
  readonly #run = randomHex(4)
  #counter = 0

  constructor(directories: TargetDirectories) {
    this.#directories = directories
    this.#files = new OpenFiles(directories.at)
  }

  has(file: PlannedFile): boolean {
    return this.#begun.has(file)
  }

  /** A name beside the file's own. */
  temporaryName({ path }: PlannedFile): Buffer {
    const slash = path.lastIndexOf(0x2f)
    return Buffer.concat([path.subarray(0, slash + 1), Buffer.from(`.holdfast-${this.#run}-${++this.#counter}`)])
  }

  /** The temporary name of the file, which is begun unless it is already. Undefined when what was there is not what was looked at. */
  begin(file: PlannedFile, sizeBytes: number): Buffer | undefined {
    const begun = this.#begun.get(file)
    if (begun !== undefined) return begun.temporary
    const temporary = this.temporaryName(file)
    let takenOver = false
    if (file.kept === undefined) {
      this.#files.create(temporary, sizeBytes)
    } else {
      const stat = lstatSync(this.#directories.at(file.path), { bigint: true, throwIfNoEntry: false })
      if (stat === undefined || identityOf(stat) !== file.kept.identity) return undefined
      takenOver = !this.#clone(file.path, temporary)
      if (takenOver) renameSync(this.#directories.at(file.path), this.#directories.at(temporary))
      this.#begun.set(file, { temporary, takenOver, isWrittenTo: false })
      this.#directories.setMode(temporary, 0o600)
      this.#files.resize(temporary, sizeBytes)
    }
    this.#files.close(temporary)
    this.#begun.set(file, { temporary, takenOver, isWrittenTo: false })
    return temporary
  }

  /** Something was written to it. */
  touch(file: PlannedFile): void {
    const part = this.#begun.get(file)
    if (part !== undefined) part.isWrittenTo = true
  }

  write(file: PlannedFile, plaintext: Uint8Array, at: number): void {
    const part = this.#begun.get(file)
    if (part === undefined) return
    part.isWrittenTo = true
    this.#files.write(part.temporary, plaintext, at)
  }

  /** Gives it its own name; `prepare` what its node says, before. What is thrown then leaves it begun. */
  complete(file: PlannedFile, prepare: (temporary: Buffer) => void): void {
    const { temporary } = this.#begun.get(file) ?? {}
    if (temporary === undefined) return
    this.#files.close(temporary)
    prepare(temporary)
    renameSync(this.#directories.at(temporary), this.#directories.at(file.path))
    this.#begun.delete(file)
  }

  /** Removes what is not complete, and gives back names that were taken. Gives what was written over, and where it is. */
  abandon(file: PlannedFile): string | undefined {
    const part = this.#begun.get(file)
    this.#begun.delete(file)
    if (part === undefined) return undefined
    const { temporary, takenOver, isWrittenTo } = part
    if (!takenOver) this.#files.remove(temporary)
    else if (isWrittenTo) return temporary.toString()
    else renameSync(this.#directories.at(temporary), this.#directories.at(file.path))
    return undefined
  }

  /** Nobody writes any more. */
  abandonAll(onWrittenOver: (file: PlannedFile, where: string) => void): void {
    for (const file of Array.from(this.#begun.keys())) {
      const where = this.abandon(file)
      if (where !== undefined) onWrittenOver(file, where)
    }
  }

  [Symbol.dispose](): void {
    this.#files[Symbol.dispose]()
  }

  /** False where the file system cannot, as most cannot. */
  #clone(from: Buffer, to: Buffer): boolean {
    try {
      const { COPYFILE_EXCL, COPYFILE_FICLONE_FORCE } = constants
      copyFileSync(this.#directories.at(from), this.#directories.at(to), COPYFILE_EXCL | COPYFILE_FICLONE_FORCE)
      return true
    } catch {
      return false
    }
  }
}
