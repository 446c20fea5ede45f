import { hash } from 'node:crypto'
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
  chunk(bytes: Uint8Array): Promise<void> | undefined {
    const idBytes = hash('sha256', bytes, 'buffer')
    const id = idBytes.toString('hex')
    this.#saved.content.push(id)
    this.#saved.sizeBytes += bytes.length
    if (!this.#isNew(idBytes)) return undefined
    const { storedBytes, closing } = this.#packs.put(id, bytes)
    this.#saved.newBlobs++
    this.#saved.addedBytes += bytes.length
    this.#saved.addedStoredBytes += storedBytes
    return closing
  }

  /** What was saved since the last call. */
  take(): SavedContent {
    const saved = this.#saved
    this.#saved = emptyContent()
    return saved
  }
}

function emptyContent() {
  return { content: [] as string[], sizeBytes: 0, addedBytes: 0, addedStoredBytes: 0, newBlobs: 0 }
}
