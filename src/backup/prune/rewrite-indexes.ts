import { isHoldfastError } from '../../kernel/index.ts'
import type { BlobIndex, IndexedPack, Repository } from '../../repository/index.ts'

/** restic's size of an index file, in blobs. */
const fullIndexBlobs = 50_000
/** An index file below this is joined with others while they are being written anyway: a few thousand blobs. Bytes. */
const smallIndexBytes = 128 * 1024

export interface IndexRewrite {
  readonly repository: Repository
  readonly index: BlobIndex
  /** By pack number. */
  readonly isRemoved: (pack: number) => boolean
  /** Whether index files that cannot be read are replaced by what is written here and before. */
  readonly replaceUnreadable: boolean
  readonly onFile: (done: number, total: number) => void
}

export interface RewrittenIndexes {
  /** Written; durable. */
  readonly written: number
  /** Index files that are not needed any more: all that they name and that stays is named by others. To be deleted before any pack is. */
  readonly obsolete: readonly string[]
}

/** Names what stays of the index files that name packs which are to go. One file is in memory at a time. */
export async function rewriteIndexes(
  { repository, index, isRemoved, replaceUnreadable, onFile }: IndexRewrite,
  signal: AbortSignal,
): Promise<RewrittenIndexes> {
  const files = await Array.fromAsync(repository.backend.list('index', '', signal))
  const writer = new IndexWriter(repository, signal)
  const obsolete: string[] = []
  const small: string[] = []
  for (const [done, { name, sizeBytes }] of files.entries()) {
    signal.throwIfAborted()
    onFile(done, files.length)
    if (repository.unreadableIndexes.some(({ id }) => id === name)) {
      if (replaceUnreadable) obsolete.push(name)
      continue
    }
    const packs = await readIndex(repository, name, signal)
    const staying = packs.filter(({ id }) => !isRemoved(index.packNumber(id) ?? -1))
    if (staying.length === packs.length) {
      if (sizeBytes < smallIndexBytes) small.push(name)
      continue
    }
    await writer.add(staying)
    obsolete.push(name)
  }
  if (obsolete.length > 0) {
    for (const name of small) {
      await writer.add(await readIndex(repository, name, signal))
      obsolete.push(name)
    }
  }
  await writer.flush()
  onFile(files.length, files.length)
  return { written: writer.written, obsolete }
}

async function readIndex(repository: Repository, name: string, signal: AbortSignal): Promise<IndexedPack[]> {
  try {
    return await repository.readIndex(name, signal)
  } catch (error) {
    if (isHoldfastError(error, 'object-missing')) return []
    throw error
  }
}

/** Each pack once, in files of the usual size. */
class IndexWriter {
  written = 0
  readonly #repository: Repository
  readonly #signal: AbortSignal
  readonly #named = new Set<string>()
  #packs: IndexedPack[] = []
  #blobs = 0

  constructor(repository: Repository, signal: AbortSignal) {
    this.#repository = repository
    this.#signal = signal
  }

  async add(packs: readonly IndexedPack[]): Promise<void> {
    for (const pack of packs) {
      if (this.#named.has(pack.id)) continue
      this.#named.add(pack.id)
      this.#packs.push(pack)
      this.#blobs += pack.blobs.length
      if (this.#blobs >= fullIndexBlobs) await this.flush()
    }
  }

  async flush(): Promise<void> {
    if (this.#packs.length === 0) return
    await this.#repository.saveIndex(this.#packs, this.#signal)
    this.written++
    this.#packs = []
    this.#blobs = 0
  }
}
