import { closeSync, constants, ftruncateSync, openSync, renameSync, unlinkSync, writeSync } from 'node:fs'
import { isHoldfastError, messageOf, systemCode } from '../../kernel/index.ts'
import { maxBlobBytes, plaintextBytes, storedIn, type BlobOpener } from '../../repository/index.ts'
import { loadPosix } from '../posix.ts'
import { TargetDirectories } from './directories.ts'
import { withoutHoles } from './holes.ts'
import { applyToFile } from './metadata.ts'
import { OpenFiles } from './open-files.ts'
import type { RangeFile, RangeOutcome, RangeTask } from './range-calls.ts'
import { isRefusedName, targetError } from './target-error.ts'

/** The chunk that holes are stored as: 512 KiB of zeros. It is not written, files are made of holes at first. */
export const zeroChunk = '07854d2fef297a06ba81685e660c332de36d5d18d546927d30daad6d7fda1541'

/** What a task makes, while it is worked on. */
interface Work {
  readonly task: RangeTask
  readonly damaged: { blob: number; error: Error }[]
  readonly refused: { file: number; reason: string }[]
  readonly losses: { file: number; reason: string }[]
  writtenBytes: number
}

/**
 * Opens the blobs of a range and writes them where they belong, in any thread. A file whose content is all there is finished at once: made,
 * written, given what its node says and then its own name, with a system call each. The others are made and finished by whoever sends the
 * tasks.
 */
export class RangeWriter implements Disposable {
  readonly #opener: BlobOpener
  readonly #directories: TargetDirectories
  readonly #parts: OpenFiles
  /** For a plaintext at a time. */
  #memory = new Uint8Array(1024 * 1024)

  constructor(opener: BlobOpener, target: Buffer) {
    this.#opener = opener
    this.#directories = new TargetDirectories(target)
    this.#parts = new OpenFiles(this.#directories.at)
  }

  /** Throws what the target does not take, in the words of targetError; nothing under a temporary name of a whole file is left then. */
  write(task: RangeTask): RangeOutcome {
    const work: Work = { task, damaged: [], refused: [], losses: [], writtenBytes: 0 }
    try {
      this.#write(work)
    } catch (error) {
      throw targetError(error, this.#directories)
    } finally {
      this.#parts.closeAll()
    }
    const { damaged, refused, losses, writtenBytes } = work
    return { damaged, refused, losses, writtenBytes }
  }

  [Symbol.dispose](): void {
    this.#parts[Symbol.dispose]()
    this.#directories[Symbol.dispose]()
  }

  /** Blobs in their order. One that goes to a whole file of several is kept until the last of them is there. */
  #write(work: Work): void {
    const { task } = work
    const missing = task.files.map(() => 0)
    for (const { uses } of task.blobs) for (const { file } of uses) missing[file] = (missing[file] ?? 0) + 1
    const begun = new Map<number, number>()
    const broken = new Set<number>()
    try {
      for (const [blob, { entry, uses }] of task.blobs.entries()) {
        const plaintext = this.#open(work, blob)
        if (plaintext === undefined) for (const { file } of uses) broken.add(file)
        for (const { file, at } of uses) {
          const target = task.files[file]
          if (target === undefined || plaintext === undefined || broken.has(file)) continue
          if (target.whole === undefined) {
            const temporary = Buffer.from(target.temporary, 'latin1')
            for (const run of runsOf(plaintext, {
              at,
              id: entry.id,
              sparse: task.sparse,
              hasContent: target.hasContent ?? false,
            }))
              this.#parts.write(temporary, run.bytes, run.at)
          } else {
            const descriptor = begun.get(file) ?? this.#begin(target, task.sparse)
            begun.set(file, descriptor)
            for (const run of runsOf(plaintext, { at, id: entry.id, sparse: task.sparse, hasContent: false }))
              writeAll(descriptor, run.bytes, run.at)
            missing[file] = (missing[file] ?? 0) - 1
            if (missing[file] === 0) {
              begun.delete(file)
              this.#finish(work, file, descriptor)
            }
          }
          work.writtenBytes += plaintext.length
        }
      }
    } finally {
      for (const [file, descriptor] of begun) this.#drop(task.files[file], descriptor)
    }
  }

  #open({ task, damaged }: Work, blob: number): Uint8Array | undefined {
    const { entry } = task.blobs[blob] ?? {}
    if (entry === undefined) return undefined
    // What an index says must not be able to fill the memory; opening refuses what is larger.
    const length = Math.min(plaintextBytes(entry), maxBlobBytes)
    if (length > this.#memory.length) this.#memory = new Uint8Array(length)
    try {
      return this.#opener.open(task.pack, storedIn(task, entry), entry, this.#memory)
    } catch (error) {
      if (!isHoldfastError(error, 'pack-damaged')) throw error
      damaged.push({ blob, error })
      return undefined
    }
  }

  /** Fails when the name exists, be it as a link. */
  #begin({ temporary, whole }: RangeFile, sparse: boolean): number {
    const { O_CREAT, O_EXCL, O_WRONLY, O_NOFOLLOW } = constants
    const path = this.#directories.at(Buffer.from(temporary, 'latin1'))
    const descriptor = openSync(path, O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW, 0o600)
    try {
      // Content that ends in a hole does not give the file its length when it is written.
      if (whole !== undefined && (sparse || whole.sizeBytes >= zeroChunkBytes)) ftruncateSync(descriptor, whole.sizeBytes)
    } catch (error) {
      closeSync(descriptor)
      throw error
    }
    return descriptor
  }

  #finish(work: Work, file: number, descriptor: number): void {
    const { temporary, whole } = work.task.files[file] ?? {}
    if (temporary === undefined || whole === undefined) return
    const path = Buffer.from(temporary, 'latin1')
    let renamed = false
    try {
      const tools = { posix: loadPosix(), directories: this.#directories }
      applyToFile({ descriptor, path }, whole.metadata, tools, (reason) => work.losses.push({ file, reason }))
      renameSync(this.#directories.at(path), this.#directories.at(Buffer.from(whole.path, 'latin1')))
      renamed = true
    } catch (error) {
      if (!isRefusedName(error)) throw error
      work.refused.push({ file, reason: this.#directories.inWords(messageOf(error)) })
    } finally {
      closeSync(descriptor)
      if (!renamed) unlinkSync(this.#directories.at(path))
    }
  }

  #drop(file: RangeFile | undefined, descriptor: number): void {
    closeSync(descriptor)
    if (file === undefined) return
    try {
      unlinkSync(this.#directories.at(Buffer.from(file.temporary, 'latin1')))
    } catch (error) {
      // The failure that brought us here is the one to tell.
      if (systemCode(error) === undefined) throw error
    }
  }
}

const zeroChunkBytes = 512 * 1024

interface Written {
  readonly at: number
  readonly id: string
  readonly sparse: boolean
  readonly hasContent: boolean
}

/** What of a plaintext has to be written. */
function runsOf(bytes: Uint8Array, { at, id, sparse, hasContent }: Written): Iterable<{ bytes: Uint8Array; at: number }> {
  if (hasContent) return [{ bytes, at }]
  if (id === zeroChunk) return []
  return sparse ? withoutHoles(bytes, at) : [{ bytes, at }]
}

function writeAll(descriptor: number, bytes: Uint8Array, offset: number): void {
  for (let written = 0; written < bytes.length;)
    written += writeSync(descriptor, bytes, written, bytes.length - written, offset + written)
}
