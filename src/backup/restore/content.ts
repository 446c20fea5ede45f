import { isHoldfastError, messageOf, type HoldfastError } from '../../kernel/index.ts'
import { maxRangeBytes, type BlobEntry, type PackRange, type Repository } from '../../repository/index.ts'
import { sharedMemory } from '../../threads/index.ts'
import { orderContent, type WantedBlob } from './content-order.ts'
import type { TargetDirectories } from './directories.ts'
import { Lanes } from './lanes.ts'
import { PartFiles } from './part-files.ts'
import type { PlannedFile } from './plan.ts'
import type { RangeOutcome, RangeTask } from './range-calls.ts'
import { rangeTask } from './range-task.ts'
import { createRangeWriters, threadsFor, type RangeWriters } from './range-threads.ts'
import { isRefusedName } from './target-error.ts'
import { blobMissing, contentUnknown, packDamaged } from './unrestorable.ts'

/** One range is written while the next is read. */
const readersOfALane = 2
/** Few enough that what is said of their files takes little memory. */
const blobsAtOnce = 1000

export interface ContentRequest {
  readonly repository: Repository
  readonly files: readonly PlannedFile[]
  readonly directories: TargetDirectories
  readonly target: Buffer
  /** Leave blocks of zeros out of files that are made. */
  readonly sparse?: boolean
  /** Other threads that write; by default as many as are worth it. */
  readonly threads?: number | undefined
  /** Called for a file that is made in parts, complete and verified, still under its temporary name: gives it what its node says. */
  readonly onWritten: (temporary: Buffer, file: PlannedFile) => void
  /** Called when it has its own name. */
  readonly onComplete: (file: PlannedFile, sizeBytes: number) => void
  /** The target does not take a file of this name; nothing of it is left there. */
  readonly onRefused: (file: PlannedFile, reason: string) => void
  readonly onLoss: (file: PlannedFile, reason: string) => void
  readonly onBytes: (bytes: number) => void
  /** What to do with a file whose content is damaged; throw to end the restore. */
  readonly onDamaged: (file: PlannedFile, error: HoldfastError) => void
}

/**
 * Writes the content of files, pack by pack, so that each stored byte is read once; every blob is verified before it is written. A file
 * appears under its name only when all of its content is there; until then it has a temporary name beside it.
 */
export async function writeContent(request: ContentRequest, signal: AbortSignal): Promise<void> {
  const { repository, target, files } = request
  const sizeBytes = files.reduce((sum, { node }) => sum + Number(node.size ?? 0n), 0)
  await using writers = createRangeWriters(repository, target, request.threads ?? threadsFor(files.length, sizeBytes))
  const writing = new ContentWriter(request, writers)
  try {
    await writing.run(signal)
  } finally {
    writing.abandon()
  }
}

/** What a pack has to give, and who writes it. */
interface WantedPack {
  readonly pack: string
  readonly wanted: ReadonlyMap<string, WantedBlob>
  readonly lane: number
  /** What is read comes to lie here, where the thread of the lane sees it. */
  readonly into: Uint8Array | undefined
}

class ContentWriter {
  readonly #request: ContentRequest
  readonly #writers: RangeWriters
  readonly #parts: PartFiles
  #sizes: ReadonlyMap<PlannedFile, number> = new Map()
  readonly #damaged = new Set<PlannedFile>()

  constructor(request: ContentRequest, writers: RangeWriters) {
    this.#request = request
    this.#writers = writers
    this.#parts = new PartFiles(request.directories)
  }

  async run(signal: AbortSignal): Promise<void> {
    const { repository, files } = this.#request
    const index = await repository.loadIndex(signal)
    const empty: PlannedFile[] = []
    const { packs, sizes } = orderContent(files, index, {
      onEmpty: (file) => void empty.push(file),
      onUnknown: (file, blob) => this.#giveUp(file, blob === undefined ? contentUnknown(file) : blobMissing(blob, file)),
    })
    this.#sizes = sizes
    for (const file of empty) if (this.#begin(file) !== undefined) this.#complete(file)
    const { lanes } = this.#writers
    const queue = new Lanes([...packs], lanes)
    packs.clear()
    // All of them have stopped when this returns: what one leaves half-written, no other may write to any more.
    const stop = new AbortController()
    const both = AbortSignal.any([signal, stop.signal])
    const reader = async (_: unknown, place: number) => {
      const lane = place % lanes
      let into: Uint8Array | undefined
      try {
        for (let next = queue.take(lane); next !== undefined; next = queue.take(lane)) {
          const [pack, wanted] = next
          into ??= sharedMemory(maxRangeBytes)
          await this.#readPack({ pack, wanted, lane, into }, both)
        }
      } catch (error) {
        stop.abort(error)
        throw error
      }
    }
    const readers = await Promise.allSettled(Array.from({ length: readersOfALane * lanes }, reader))
    both.throwIfAborted()
    for (const ended of readers) if (ended.status === 'rejected') throw ended.reason
  }

  /** Removes what is not complete. Nobody writes any more. */
  abandon(): void {
    this.#parts.abandonAll((file, where) =>
      this.#request.onLoss(file, `what was there is written over in part, and now called ${where}`),
    )
    this.#parts[Symbol.dispose]()
  }

  async #readPack(wantedPack: WantedPack, signal: AbortSignal): Promise<void> {
    const { pack, wanted, into } = wantedPack
    const { repository } = this.#request
    const useful = [...wanted.values()].filter(({ uses }) => uses.some(({ file }) => !this.#damaged.has(file)))
    const entries = useful.map(({ location }) => location).toSorted((a, b) => a.offset - b.offset)
    for (let at = 0; at < entries.length; at += blobsAtOnce) {
      for await (const range of repository.readPackRanges(pack, entries.slice(at, at + blobsAtOnce), {
        ...(into && { into }),
        signal,
      })) {
        signal.throwIfAborted()
        if ('error' in range) await this.#unreadable(wantedPack, range, signal)
        else await this.#writeRange(wantedPack, range, signal)
      }
    }
  }

  async #unreadable(
    { pack, wanted }: WantedPack,
    { entries, error }: { readonly entries: readonly BlobEntry[]; readonly error: Error },
    signal: AbortSignal,
  ): Promise<void> {
    for (const { id } of entries) await this.#elsewhere(pack, wanted.get(id), { error, begin: true }, signal)
  }

  async #writeRange(
    { pack, wanted, lane }: WantedPack,
    range: Extract<PackRange, { bytes: Uint8Array }>,
    signal: AbortSignal,
  ): Promise<void> {
    const blobs = range.entries.map(({ id }) => wanted.get(id)).filter((blob) => blob !== undefined)
    const { task, files } = rangeTask({
      pack,
      blobs,
      range,
      sparse: this.#request.sparse ?? false,
      isGivenUp: (file) => this.#damaged.has(file),
      sizeOf: (file) => this.#sizes.get(file) ?? 0,
      temporaryName: (file) => this.#parts.temporaryName(file),
      beginPart: (file) => this.#begin(file),
    })
    const outcome = await this.#writers.write(task, lane).catch((error: unknown) => {
      // Who knows what of it was written.
      for (const file of files) this.#parts.touch(file)
      throw error
    })
    const broken = new Map<PlannedFile, Error>()
    for (const { blob, error } of outcome.damaged) {
      for (const { file } of blobs[blob]?.uses ?? []) if (!this.#parts.has(file)) broken.set(file, error)
      await this.#elsewhere(pack, blobs[blob], { error, begin: false }, signal)
    }
    this.#account(outcome, { task, files, blobs, broken })
    for (const [file, error] of broken) await this.#inParts(pack, { file, error }, signal)
  }

  #account(
    outcome: RangeOutcome,
    {
      task,
      files,
      blobs,
      broken,
    }: { task: RangeTask; files: readonly PlannedFile[]; blobs: readonly WantedBlob[]; broken: ReadonlyMap<PlannedFile, Error> },
  ): void {
    const { onBytes, onLoss, onRefused, onComplete } = this.#request
    onBytes(outcome.writtenBytes)
    const refused = new Set(outcome.refused.map(({ file }) => file))
    for (const { file, reason } of outcome.losses) forFile(files, file, (file) => onLoss(file, reason))
    for (const { file, reason } of outcome.refused) forFile(files, file, (file) => onRefused(file, reason))
    for (const [place, { whole }] of task.files.entries())
      if (whole !== undefined && !refused.has(place))
        forFile(files, place, (file) => {
          if (!broken.has(file)) onComplete(file, whole.sizeBytes)
        })
    const damaged = new Set(outcome.damaged.map(({ blob }) => blob))
    for (const [place, { uses }] of blobs.entries())
      if (!damaged.has(place)) for (const { file } of uses) if (this.#parts.has(file)) this.#arrived(file)
  }

  /** Another part of a file is there. */
  #arrived(file: PlannedFile): void {
    this.#parts.touch(file)
    if (!this.#parts.has(file) || this.#damaged.has(file)) return
    file.missing--
    if (file.missing === 0) this.#complete(file)
  }

  /** A blob that cannot be had where it was looked for, from another pack that has it too, for files that are made in parts. */
  async #elsewhere(
    pack: string,
    blob: WantedBlob | undefined,
    { error, begin }: { readonly error: Error; readonly begin: boolean },
    signal: AbortSignal,
  ): Promise<void> {
    if (blob === undefined) return
    const plaintext = await this.#readElsewhere(blob.location.id, signal)
    for (const { file, at } of blob.uses) {
      if (this.#damaged.has(file)) continue
      if (plaintext === undefined) this.#giveUp(file, packDamaged(pack, file, error))
      else if (this.#parts.has(file) || (begin && this.#begin(file) !== undefined)) this.#writePart(file, plaintext, at)
    }
  }

  /** A file that its writer did not make because a blob is damaged, each blob from wherever it is whole. */
  async #inParts(
    pack: string,
    { file, error }: { readonly file: PlannedFile; readonly error: Error },
    signal: AbortSignal,
  ): Promise<void> {
    let at = 0
    for (const id of file.node.content ?? []) {
      if (this.#damaged.has(file)) return
      const plaintext = await this.#readElsewhere(id, signal)
      if (plaintext === undefined) this.#giveUp(file, packDamaged(pack, file, error))
      else if (this.#begin(file) !== undefined) this.#writePart(file, plaintext, at)
      at += plaintext?.length ?? 0
    }
  }

  #writePart(file: PlannedFile, plaintext: Uint8Array, at: number): void {
    this.#parts.write(file, plaintext, at)
    this.#request.onBytes(plaintext.length)
    this.#arrived(file)
  }

  async #readElsewhere(id: string, signal: AbortSignal): Promise<Uint8Array | undefined> {
    try {
      return await this.#request.repository.readBlob('data', id, signal)
    } catch (error) {
      if (isHoldfastError(error, 'pack-damaged') || isHoldfastError(error, 'blob-missing')) return undefined
      throw error
    }
  }

  /** Makes a file that others write to. Undefined when it cannot be: then it is given up. */
  #begin(file: PlannedFile): Buffer | undefined {
    const begun = this.#parts.begin(file, this.#sizes.get(file) ?? 0)
    if (begun === undefined) {
      this.#damaged.add(file)
      this.#request.onRefused(file, 'somebody else has written to it meanwhile; it was left as it is')
    }
    return begun
  }

  #complete(file: PlannedFile): void {
    const { directories, onRefused, onWritten, onComplete } = this.#request
    try {
      this.#parts.complete(file, (temporary) => onWritten(temporary, file))
    } catch (error) {
      if (!isRefusedName(error)) throw error
      this.#parts.abandon(file)
      onRefused(file, directories.inWords(messageOf(error)))
      return
    }
    onComplete(file, this.#sizes.get(file) ?? 0)
  }

  /** What there is of it is removed at the end: others may be writing to it. */
  #giveUp(file: PlannedFile, error: HoldfastError): void {
    if (this.#damaged.has(file)) return
    this.#damaged.add(file)
    this.#request.onDamaged(file, error)
  }
}

function forFile(files: readonly PlannedFile[], place: number, work: (file: PlannedFile) => void): void {
  const file = files[place]
  if (file !== undefined) work(file)
}
