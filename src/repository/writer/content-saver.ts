import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs'
import { hash } from 'node:crypto'
import { messageOf } from '../../kernel/index.ts'
import type { ContentReader } from './content-reader.ts'
import type { SavedContent } from './contract.ts'
import type { PackBuilder } from './pack-builder.ts'

/** Content of one file or stream as it is saved: chunks become blobs, those that are not known yet are packed. */
export class ContentSaver {
  readonly #isNew: (id: Uint8Array) => boolean
  readonly #packs: PackBuilder
  #saved = emptyContent()

  /** `isNew` is true for one caller only, who has to store the blob then. */
  constructor(isNew: (id: Uint8Array) => boolean, packs: PackBuilder) {
    this.#isNew = isNew
    this.#packs = packs
  }

  /** Content that is one chunk, or the next chunk of more. */
  async chunk(bytes: Uint8Array): Promise<void> {
    const idBytes = hash('sha256', bytes, 'buffer')
    const id = idBytes.toString('hex')
    this.#saved.content.push(id)
    this.#saved.sizeBytes += bytes.length
    if (!this.#isNew(idBytes)) return
    const storedBytes = await this.#packs.add(id, bytes)
    this.#saved.newBlobs++
    this.#saved.addedBytes += bytes.length
    this.#saved.addedStoredBytes += storedBytes
  }

  /** What was saved since the last call. */
  take(): SavedContent {
    const saved = this.#saved
    this.#saved = emptyContent()
    return saved
  }
}

/** Why a file could not be read; failures to store are other errors. */
export class Unreadable extends Error {}

/**
 * Reads a regular file into `reader`. Symbolic links are not followed, and a FIFO does not block: what stands at the path may have
 * changed since it was seen. Throws Unreadable.
 */
export async function readFileContent(path: Buffer, reader: ContentReader, onRead: (bytes: number) => void): Promise<void> {
  const attempt = <Result>(work: () => Result): Result => {
    try {
      return work()
    } catch (error) {
      throw new Unreadable(messageOf(error))
    }
  }
  const file = attempt(() => openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK))
  try {
    if (!attempt(() => fstatSync(file)).isFile()) throw new Unreadable('it is not a regular file any more')
    reader.begin()
    await reader.readAll((memory) => {
      const count = attempt(() => readSync(file, memory))
      onRead(count)
      return count
    })
    await reader.end()
  } finally {
    closeSync(file)
  }
}

function emptyContent() {
  return { content: [] as string[], sizeBytes: 0, addedBytes: 0, addedStoredBytes: 0, newBlobs: 0 }
}
