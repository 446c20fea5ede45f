import type { BlobWriter, SavedContent } from '../../repository/index.ts'

/**
 * A file is saved in sections of this size, each by itself, so that one large file keeps several workers busy. Page-aligned: a section's
 * chunks do not change when another section does.
 */
const sectionBytes = 16 * 1024 * 1024
/** Read from the server and not saved yet. */
const budgetBytes = 64 * 1024 * 1024

/** Saves contents that come one after the other, several at once, within a bounded memory. */
export class SectionSaver {
  readonly #writer: BlobWriter
  readonly #signal: AbortSignal
  #underWayBytes = 0
  #underWay = new Set<Promise<SavedContent>>()
  #failure: { readonly error: unknown } | undefined

  constructor(writer: BlobWriter, signal: AbortSignal) {
    this.#writer = writer
    this.#signal = signal
  }

  /** Takes the whole content; `saved` resolves later, when it is saved. Throws the first failure of any earlier one. */
  async take(content: AsyncIterable<Uint8Array>): Promise<{ saved: Promise<SavedContent> }> {
    const sections: Promise<SavedContent>[] = []
    let pieces: Uint8Array[] = []
    let bytes = 0
    for await (const piece of content) {
      pieces.push(piece)
      bytes += piece.length
      if (bytes < sectionBytes) continue
      await this.#room(bytes)
      sections.push(this.#begin(pieces, bytes))
      pieces = []
      bytes = 0
    }
    if (bytes > 0) {
      await this.#room(bytes)
      sections.push(this.#begin(pieces, bytes))
    }
    const saved = Promise.all(sections).then(joined)
    // Its failure is thrown by the next take and by finish; nobody may be waiting for it yet.
    saved.catch(() => {})
    return { saved }
  }

  /** Waits for all. Throws the first failure. */
  async finish(): Promise<void> {
    await Promise.allSettled(this.#underWay)
    if (this.#failure) throw this.#failure.error
  }

  async #room(bytes: number): Promise<void> {
    while (this.#underWayBytes > 0 && this.#underWayBytes + bytes > budgetBytes)
      await Promise.race(this.#underWay).catch(() => {})
    if (this.#failure) throw this.#failure.error
  }

  #begin(pieces: readonly Uint8Array[], bytes: number): Promise<SavedContent> {
    this.#underWayBytes += bytes
    const saving = this.#writer.saveStream(inOrder(pieces), this.#signal)
    this.#underWay.add(saving)
    const settle = () => {
      this.#underWayBytes -= bytes
      this.#underWay.delete(saving)
    }
    saving.then(settle, (error: unknown) => {
      this.#failure ??= { error }
      settle()
    })
    return saving
  }
}

async function* inOrder(pieces: readonly Uint8Array[]): AsyncGenerator<Uint8Array, void, undefined> {
  yield* pieces
}

function joined(parts: readonly SavedContent[]): SavedContent {
  const sum = (pick: (part: SavedContent) => number) => parts.reduce((total, part) => total + pick(part), 0)
  return {
    content: parts.flatMap(({ content }) => content),
    sizeBytes: sum((part) => part.sizeBytes),
    addedBytes: sum((part) => part.addedBytes),
    addedStoredBytes: sum((part) => part.addedStoredBytes),
    newBlobs: sum((part) => part.newBlobs),
  }
}
