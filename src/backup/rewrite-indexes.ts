import { isHoldfastError } from '../kernel/index.ts'
import type { IndexedPack, Repository } from '../repository/index.ts'

/** restic's size of an index file, in blobs. */
const fullIndexBlobs = 50_000
/** An index file below this is joined with others while they are being written anyway: a few thousand blobs. Bytes. */
const smallIndexBytes = 128 * 1024

export interface IndexRewrite {
  readonly repository: Repository
  /** Whether what an index file says of a pack is to stay. */
  readonly stays: (pack: IndexedPack) => boolean
  /** Index files that cannot be read, and are not needed any more. Others that cannot be read are left alone. */
  readonly replaced: ReadonlySet<string>
  /** Packs to name besides; of those, what index files say does not count. */
  readonly added?: readonly IndexedPack[]
  readonly onFile: (done: number, total: number) => void
}

export interface RewrittenIndexes {
  /** Written; durable. */
  readonly written: number
  /** Index files that are not needed any more: all that they name and that stays is named by others. To be deleted before any pack is. */
  readonly obsolete: readonly string[]
}

/** Names what stays of the index files that name something that does not. One file is in memory at a time. Deletes nothing. */
export async function rewriteIndexes(
  { repository, stays, replaced, added = [], onFile }: IndexRewrite,
  signal: AbortSignal,
): Promise<RewrittenIndexes> {
  const files = await Array.fromAsync(repository.backend.list('index', '', signal))
  const writer = new IndexWriter(repository, signal)
  await writer.add(added)
  const obsolete: string[] = []
  const small: string[] = []
  for (const [done, { name, sizeBytes }] of files.entries()) {
    signal.throwIfAborted()
    onFile(done, files.length)
    const packs = await readIndex(repository, name, signal)
    if (packs === undefined) {
      if (replaced.has(name)) obsolete.push(name)
      continue
    }
    const staying = packs.filter((pack) => stays(pack))
    if (staying.length === packs.length) {
      if (sizeBytes < smallIndexBytes) small.push(name)
      continue
    }
    await writer.add(staying)
    obsolete.push(name)
  }
  if (obsolete.length > 0) {
    for (const name of small) {
      await writer.add((await readIndex(repository, name, signal)) ?? [])
      obsolete.push(name)
    }
  }
  await writer.flush()
  onFile(files.length, files.length)
  return { written: writer.written, obsolete }
}

/** Undefined when it cannot be read. */
async function readIndex(repository: Repository, name: string, signal: AbortSignal): Promise<IndexedPack[] | undefined> {
  try {
    return await repository.readIndex(name, signal)
  } catch (error) {
    if (isHoldfastError(error, 'object-missing')) return []
    if (isHoldfastError(error, 'object-damaged')) return undefined
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
