/** Blobs in one segment. A power of two. */
const segmentBits = 14
const segmentBlobs = 1 << segmentBits
const idWords = 8
const lengthWords = 3
const idBytes = segmentBlobs * idWords * 4
const offsetBytes = segmentBlobs * 4
const segmentBytes = idBytes + offsetBytes + segmentBlobs * lengthWords * 2

const treeFlag = 0x8000_0000
/** Stands for a length or an offset that does not fit: it is kept elsewhere. */
export const tooWide = 0xff_ffff
const lengthMask = 0xff_ffff
const offsetMask = 0x7fff_ffff

interface Segment {
  readonly ids: Uint32Array
  /** The type in the top bit. */
  readonly offsets: Uint32Array
  /** Two lengths of 24 bits: their lowest 16 bits each, then the highest 8 of both. */
  readonly lengths: Uint16Array
}

/**
 * Blobs by position: 42 bytes each, in shared memory. It comes in segments, so that growing copies nothing, and costs no more than is
 * used. In what pack a blob is follows from its position, as those of a pack follow each other.
 */
export class BlobSegments {
  readonly memory: SharedArrayBuffer[]
  readonly #segments: Segment[]

  /** Over memory of another thread's, of which no more is seen than there is now. */
  constructor(memory: readonly SharedArrayBuffer[] = []) {
    this.memory = [...memory]
    this.#segments = memory.map(segmentOn)
  }

  /** The id is at `from`. False also when this thread has not got the memory that a position is in. */
  is(position: number, words: Uint32Array, from: number, isTree: boolean): boolean {
    const segment = this.#segments[position >>> segmentBits]
    if (segment === undefined) return false
    const { ids, offsets } = segment
    const within = position & (segmentBlobs - 1)
    const at = within * idWords
    for (let word = 0; word < idWords; word++) if (ids[at + word] !== words[from + word]) return false
    return (offsets[within] ?? 0) >>> 31 === (isTree ? 1 : 0)
  }

  /** Writes at the first free position. Numbers that do not fit become `tooWide`. */
  set(position: number, words: Uint32Array, from: number, isTree: boolean, place: Place): void {
    const index = position >>> segmentBits
    if (index === this.#segments.length) {
      const memory = new SharedArrayBuffer(segmentBytes)
      this.memory.push(memory)
      this.#segments.push(segmentOn(memory))
    }
    const { ids, offsets, lengths } = this.#at(position)
    const within = position & (segmentBlobs - 1)
    for (let word = 0; word < idWords; word++) ids[within * idWords + word] = words[from + word] ?? 0
    offsets[within] = place.offset + (isTree ? treeFlag : 0)
    const at = within * lengthWords
    lengths[at] = place.length & 0xffff
    lengths[at + 1] = place.uncompressed & 0xffff
    lengths[at + 2] = ((place.length >>> 16) << 8) | (place.uncompressed >>> 16)
  }

  place(position: number): Place {
    const { offsets, lengths } = this.#at(position)
    const within = position & (segmentBlobs - 1)
    const at = within * lengthWords
    const high = lengths[at + 2] ?? 0
    return {
      offset: (offsets[within] ?? 0) & offsetMask,
      length: (lengths[at] ?? 0) | ((high >>> 8) << 16),
      uncompressed: (lengths[at + 1] ?? 0) | ((high & 0xff) << 16),
    }
  }

  isTree(position: number): boolean {
    return (this.#at(position).offsets[position & (segmentBlobs - 1)] ?? 0) >= treeFlag
  }

  /** Of the id. */
  word(position: number, word: 0 | 1): number {
    return this.#at(position).ids[(position & (segmentBlobs - 1)) * idWords + word] ?? 0
  }

  id(position: number): string {
    const { ids } = this.#at(position)
    return Buffer.from(ids.buffer, (position & (segmentBlobs - 1)) * idWords * 4, idWords * 4).toString('hex')
  }

  #at(position: number): Segment {
    const segment = this.#segments[position >>> segmentBits]
    if (segment === undefined) throw new RangeError(`no blob has the position ${position}`)
    return segment
  }
}

/** Where in its pack; `uncompressed` is 0 for what is stored uncompressed. Bytes. */
export interface Place {
  readonly offset: number
  readonly length: number
  readonly uncompressed: number
}

/** Whether a segment has room for these numbers. */
export function isNarrow({ offset, length, uncompressed }: Place): boolean {
  return offset <= offsetMask && length < lengthMask && uncompressed < lengthMask
}

function segmentOn(memory: SharedArrayBuffer): Segment {
  return {
    ids: new Uint32Array(memory, 0, segmentBlobs * idWords),
    offsets: new Uint32Array(memory, idBytes, segmentBlobs),
    lengths: new Uint16Array(memory, idBytes + offsetBytes, segmentBlobs * lengthWords),
  }
}
