import { HoldfastError } from '../kernel/index.ts'
import type { BlobEntry, BlobType } from './blob.ts'
import type { IndexedPack } from './index-file.ts'

/** Where a blob is. */
export interface BlobLocation extends BlobEntry {
  readonly pack: string
}

/** Which pack holds a blob, for every blob of a repository. */
export interface BlobIndex {
  /** Blobs known. The same blob in several packs counts once. */
  readonly size: number
  /** Packs named by any index. */
  readonly packCount: number
  hasPack(id: string): boolean
  has(type: BlobType, id: string): boolean
  lookup(type: BlobType, id: string): BlobLocation | undefined
  /** A number below `size` that is the blob's own for ever: for sets of blobs as arrays of bits. */
  position(type: BlobType, id: string): number | undefined
  /** Adds a pack's blobs. A blob that is known already keeps its first place. */
  add(pack: IndexedPack): void
  /** Every blob once, in no order. */
  entries(): IterableIterator<BlobLocation>
}

const idWords = 8
const metaWords = 4
/** Beyond 4 GiB of one typed array's index; a repository of that size needs a different design first. */
const maxBlobs = 0x1000_0000
const treeFlag = 0x8000_0000

/**
 * 48 bytes a blob in two typed arrays, found over an open-addressed table of 32-bit positions: about 56 bytes a blob in all and no objects.
 * Ids are random by construction, so their first word is the hash.
 */
export function createBlobIndex(expectedBlobs = 0): BlobIndex {
  let capacity = Math.max(1024, expectedBlobs)
  let count = 0
  let ids = new Uint32Array(capacity * idWords)
  // pack number with the type in its top bit · offset · length · uncompressed length (0 = stored uncompressed)
  let metas = new Uint32Array(capacity * metaWords)
  let table = new Uint32Array(slotsFor(capacity))
  const packs: string[] = []
  const packNumbers = new Map<string, number>()
  const wanted = new Uint32Array(idWords)
  const wantedBytes = Buffer.from(wanted.buffer)

  /** The slot of the wanted id, or the free slot where it belongs (value 0). Position p is stored as p + 1. */
  function findSlot(type: BlobType): number {
    const mask = table.length - 1
    const flag = type === 'tree' ? treeFlag : 0
    for (let slot = (wanted[0] ?? 0) & mask; ; slot = (slot + 1) & mask) {
      const stored = table[slot] ?? 0
      if (stored === 0) return slot
      if (matches(stored - 1, flag)) return slot
    }
  }
  function matches(position: number, flag: number): boolean {
    const at = position * idWords
    for (let word = 0; word < idWords; word++) if (ids[at + word] !== wanted[word]) return false
    return ((metas[position * metaWords] ?? 0) & treeFlag) >>> 0 === flag
  }
  function grow(): void {
    if (count < capacity) return
    capacity *= 2
    if (capacity > maxBlobs) throw new HoldfastError('internal', { message: `an index of more than ${maxBlobs} blobs` })
    ids = widened(ids, capacity * idWords)
    metas = widened(metas, capacity * metaWords)
    table = new Uint32Array(slotsFor(capacity))
    const mask = table.length - 1
    for (let position = 0; position < count; position++) {
      let slot = (ids[position * idWords] ?? 0) & mask
      while (table[slot] !== 0) slot = (slot + 1) & mask
      table[slot] = position + 1
    }
  }
  function locationAt(position: number, id: string): BlobLocation {
    const at = position * metaWords
    const packed = metas[at] ?? 0
    const uncompressed = metas[at + 3] ?? 0
    return {
      type: (packed & treeFlag) === 0 ? 'data' : 'tree',
      id,
      pack: packs[packed & ~treeFlag] ?? '',
      offset: metas[at + 1] ?? 0,
      length: metas[at + 2] ?? 0,
      ...(uncompressed === 0 ? {} : { uncompressedLength: uncompressed }),
    }
  }
  function numberOf(pack: string): number {
    const known = packNumbers.get(pack)
    if (known !== undefined) return known
    packs.push(pack)
    packNumbers.set(pack, packs.length - 1)
    return packs.length - 1
  }

  return {
    get size() {
      return count
    },
    get packCount() {
      return packs.length
    },
    hasPack: (id) => packNumbers.has(id),
    has(type, id) {
      wantedBytes.write(id, 'hex')
      return table[findSlot(type)] !== 0
    },
    position(type, id) {
      wantedBytes.write(id, 'hex')
      const stored = table[findSlot(type)] ?? 0
      return stored === 0 ? undefined : stored - 1
    },
    lookup(type, id) {
      wantedBytes.write(id, 'hex')
      const stored = table[findSlot(type)] ?? 0
      return stored === 0 ? undefined : locationAt(stored - 1, id)
    },
    add(pack) {
      const packNumber = numberOf(pack.id)
      for (const { type, id, offset, length, uncompressedLength } of pack.blobs) {
        grow()
        wantedBytes.write(id, 'hex')
        const slot = findSlot(type)
        if (table[slot] !== 0) continue
        ids.set(wanted, count * idWords)
        metas.set(
          [(packNumber | (type === 'tree' ? treeFlag : 0)) >>> 0, offset, length, uncompressedLength ?? 0],
          count * metaWords,
        )
        table[slot] = ++count
      }
    },
    *entries() {
      for (let position = 0; position < count; position++)
        yield locationAt(position, Buffer.from(ids.buffer, position * 32, 32).toString('hex'))
    },
  }
}

/** A power of two with at most 2 of 3 slots taken. */
function slotsFor(capacity: number): number {
  return 2 ** Math.ceil(Math.log2(capacity * 1.5))
}

function widened(array: Uint32Array<ArrayBuffer>, length: number): Uint32Array<ArrayBuffer> {
  const wider = new Uint32Array(length)
  wider.set(array)
  return wider
}
