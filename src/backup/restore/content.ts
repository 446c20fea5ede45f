import { renameSync } from 'node:fs'
import { HoldfastError, isHoldfastError, randomHex, shortId } from '../../kernel/index.ts'
import { plaintextBytes, type BlobLocation, type Repository } from '../../repository/index.ts'
import type { TargetDirectories } from './directories.ts'
import { OpenFiles } from './open-files.ts'
import { isRefusedName } from './target-error.ts'
import type { PlannedFile } from './plan.ts'

/** The chunk that holes are stored as: 512 KiB of zeros. It is not written, files are made of holes at first. */
const zeroChunk = '07854d2fef297a06ba81685e660c332de36d5d18d546927d30daad6d7fda1541'
const packsAtOnce = 2

/** A place that a blob goes to. */
interface Use {
  readonly file: PlannedFile
  readonly offset: number
}

/** What one pack has to give. */
interface Wanted {
  readonly location: BlobLocation
  readonly uses: Use[]
}

export interface ContentRequest {
  readonly repository: Repository
  readonly files: readonly PlannedFile[]
  readonly directories: TargetDirectories
  /** Called for a file whose content is complete and verified, still under its temporary name: gives it its metadata. */
  readonly onWritten: (temporary: Buffer, file: PlannedFile) => void
  /** Called when it has its own name. */
  readonly onComplete: (file: PlannedFile, sizeBytes: number) => void
  /** The target does not take a file of this name; nothing of it is left there. */
  readonly onRefused: (file: PlannedFile, error: unknown) => void
  readonly onBytes: (bytes: number) => void
  /** What to do with a file whose content is damaged; throw to end the restore. */
  readonly onDamaged: (file: PlannedFile, error: HoldfastError) => void
}

/**
 * Writes the content of files, pack by pack, so that each stored byte is read once. Every blob is verified before it is written. A file
 * appears under its name only when all of its content is there; until then it has a temporary name beside it.
 */
export async function writeContent(request: ContentRequest, signal: AbortSignal): Promise<void> {
  const writing = new ContentWriter(request)
  try {
    await writing.run(signal)
  } finally {
    writing.abandon()
  }
}

class ContentWriter {
  readonly #request: ContentRequest
  readonly #open: OpenFiles
  /** Of the content, which counts: what a node says may be older than the content, when a file changed while it was read. */
  readonly #sizes = new Map<PlannedFile, number>()
  /** Temporary names of files that are begun and neither complete nor given up. */
  readonly #begun = new Map<PlannedFile, Buffer>()
  readonly #damaged = new Set<PlannedFile>()
  readonly #run = randomHex(4)
  #counter = 0

  constructor(request: ContentRequest) {
    this.#request = request
    this.#open = new OpenFiles(request.directories.at)
  }

  async run(signal: AbortSignal): Promise<void> {
    const { repository, files } = this.#request
    const index = await repository.loadIndex(signal)
    const packs = new Map<string, Map<string, Wanted>>()
    for (const file of files) {
      if (file.node.content === null) this.#giveUp(file, contentUnknown(file))
      else if (file.missing === 0) this.#empty(file)
      else this.#order(file, (id) => index.lookup('data', id), packs)
    }
    const queue = packs.entries()
    // All of them have stopped when this returns: what one leaves half-written, no other may write to any more.
    const stop = new AbortController()
    const both = AbortSignal.any([signal, stop.signal])
    const reader = async () => {
      try {
        for (const [pack, wanted] of queue) await this.#readPack(pack, wanted, both)
      } catch (error) {
        stop.abort(error)
        throw error
      }
    }
    await Promise.allSettled(Array.from({ length: packsAtOnce }, reader))
    both.throwIfAborted()
  }

  /** Removes what is not complete. */
  abandon(): void {
    for (const temporary of this.#begun.values()) this.#open.remove(temporary)
    this.#begun.clear()
    this.#open[Symbol.dispose]()
  }

  #empty(file: PlannedFile): void {
    this.#begin(file)
    this.#complete(file)
  }

  #order(file: PlannedFile, lookup: (id: string) => BlobLocation | undefined, packs: Map<string, Map<string, Wanted>>): void {
    let offset = 0
    const uses: [BlobLocation, Use][] = []
    for (const id of file.node.content ?? []) {
      const location = lookup(id)
      if (location === undefined) {
        this.#giveUp(file, blobMissing(id, file))
        return
      }
      uses.push([location, { file, offset }])
      offset += plaintextBytes(location)
    }
    this.#sizes.set(file, offset)
    for (const [location, use] of uses) {
      const inPack = packs.get(location.pack) ?? new Map<string, Wanted>()
      packs.set(location.pack, inPack)
      const wanted = inPack.get(location.id) ?? { location, uses: [] }
      inPack.set(location.id, wanted)
      wanted.uses.push(use)
    }
  }

  async #readPack(pack: string, wanted: Map<string, Wanted>, signal: AbortSignal): Promise<void> {
    const useful = [...wanted.values()].filter(({ uses }) => uses.some(({ file }) => !this.#damaged.has(file)))
    const entries = useful.map(({ location }) => location)
    for await (const found of this.#request.repository.readPackBlobs(pack, entries, signal)) {
      signal.throwIfAborted()
      const uses = wanted.get(found.entry.id)?.uses ?? []
      const plaintext = 'error' in found ? await this.#elsewhere(found.entry.id, signal) : found.plaintext
      if (plaintext !== undefined) for (const use of uses) this.#write(use, found.entry.id, plaintext)
      else if ('error' in found) for (const { file } of uses) this.#giveUp(file, packDamaged(pack, file, found.error))
    }
  }

  /** A blob that is damaged where it was looked for, from another pack that has it too. */
  async #elsewhere(id: string, signal: AbortSignal): Promise<Uint8Array | undefined> {
    try {
      return await this.#request.repository.readBlob('data', id, signal)
    } catch (error) {
      if (isHoldfastError(error, 'pack-damaged') || isHoldfastError(error, 'blob-missing')) return undefined
      throw error
    }
  }

  #write({ file, offset }: Use, id: string, plaintext: Uint8Array): void {
    if (this.#damaged.has(file)) return
    const temporary = this.#begun.get(file) ?? this.#begin(file)
    if (id !== zeroChunk) this.#open.write(temporary, plaintext, offset)
    this.#request.onBytes(plaintext.length)
    file.missing--
    if (file.missing === 0) this.#complete(file)
  }

  #begin(file: PlannedFile): Buffer {
    const slash = file.path.lastIndexOf(0x2f)
    const temporary = Buffer.concat([file.path.subarray(0, slash + 1), Buffer.from(`.holdfast-${this.#run}-${++this.#counter}`)])
    // Content that is one blob gives the file its length when it is written.
    const [first, second] = file.node.content ?? []
    const written = second === undefined && first !== zeroChunk
    this.#open.create(temporary, written ? 0 : (this.#sizes.get(file) ?? 0))
    this.#begun.set(file, temporary)
    return temporary
  }

  #complete(file: PlannedFile): void {
    const temporary = this.#begun.get(file)
    if (temporary === undefined) return
    this.#open.close(temporary)
    this.#request.onWritten(temporary, file)
    const { at } = this.#request.directories
    try {
      renameSync(at(temporary), at(file.path))
    } catch (error) {
      if (!isRefusedName(error)) throw error
      this.#drop(file)
      this.#request.onRefused(file, error)
      return
    }
    this.#request.onComplete(file, this.#sizes.get(file) ?? 0)
    this.#begun.delete(file)
    this.#sizes.delete(file)
  }

  #giveUp(file: PlannedFile, error: HoldfastError): void {
    if (this.#damaged.has(file)) return
    this.#damaged.add(file)
    this.#drop(file)
    this.#request.onDamaged(file, error)
  }

  #drop(file: PlannedFile): void {
    const temporary = this.#begun.get(file)
    if (temporary !== undefined) this.#open.remove(temporary)
    this.#begun.delete(file)
  }
}

const repairHint =
  'run `holdfast check --read-data` to see all that is damaged; restore another snapshot, or from another repository'

function packDamaged(pack: string, { path }: PlannedFile, cause: Error): HoldfastError {
  return new HoldfastError('pack-damaged', {
    message: `${path.toString()} was not restored: ${cause.message}`,
    hint: repairHint,
    details: { pack, file: path.toString() },
    cause,
  })
}

function contentUnknown({ path }: PlannedFile): HoldfastError {
  return new HoldfastError('object-damaged', {
    message: `${path.toString()} was not restored: the snapshot does not say what its content is`,
    hint: repairHint,
    details: { file: path.toString() },
  })
}

function blobMissing(blob: string, { path }: PlannedFile): HoldfastError {
  return new HoldfastError('blob-missing', {
    message: `${path.toString()} was not restored: no index names its blob ${shortId(blob)}`,
    hint: repairHint,
    details: { blob, file: path.toString() },
  })
}
