import { HoldfastError } from '../kernel/index.ts'
import type { BlobEntry, BlobType } from './blob.ts'
import type { IndexedPack } from './index-file.ts'
import { packFileBytes } from './pack-header.ts'

/** Where a blob is. */
export interface BlobLocation extends BlobEntry {
  readonly pack: string
}

/** `position` is the blob's, `pack` the pack's number, `length` in bytes as stored. */
export type VisitPlace = (position: number, pack: number, type: BlobType, length: number, isCompressed: boolean) => void

/** Which pack holds a blob, for every blob of a repository. */
export interface BlobIndex {
  /** Blobs known. The same blob in several packs counts once. */
  readonly size: number
  /** Packs named by any index. */
  readonly packCount: number
  hasPack(id: string): boolean
  /** A number below `packCount` that is the pack's own for ever, and its place in `packs()`: for tables of packs. */
  packNumber(id: string): number | undefined
  has(type: BlobType, id: string): boolean
  lookup(type: BlobType, id: string): BlobLocation | undefined
  /** Every place of a blob, the one that lookup gives first: when one is damaged, another may do. */
  lookupAll(type: BlobType, id: string): BlobLocation[]
  /** A number below `size` that is the blob's own for ever: for sets of blobs as arrays of bits. */
  position(type: BlobType, id: string): number | undefined
  /** The blob with this position; undefined when it is in no pack that is there. */
  at(position: number): BlobLocation | undefined
  /** Adds a pack's blobs. A blob that is known already keeps its first place; the others are remembered too. */
  add(pack: IndexedPack): void
  /** The packs named by any index, with the size that each must have. */
  packs(): IterableIterator<{ readonly id: string; readonly sizeBytes: number }>
  /** Counts a pack as not there: its blobs are unknown from now on, unless another pack holds them or comes to hold them. */
  setAside(pack: string): void
  /** Every place of every blob in packs that are there, in no order, told in numbers: for tables over a whole repository. */
  eachPlace(visit: VisitPlace): void
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
  const packs: { readonly id: string; readonly sizeBytes: number }[] = []
  const aside = new Set<number>()
  /** Further places of blobs that are in several packs, by position: few blobs are. */
  const others = new Map<number, Uint32Array[]>()
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
  function metaAt(position: number): Uint32Array {
    return metas.subarray(position * metaWords, (position + 1) * metaWords)
  }
  function idAt(position: number): string {
    return Buffer.from(ids.buffer, position * 32, 32).toString('hex')
  }
  /** The places of a blob in packs that are there. */
  function* placesAt(position: number): Generator<Uint32Array> {
    for (const meta of [metaAt(position), ...(others.get(position) ?? [])]) if (!aside.has(packNumberOf(meta))) yield meta
  }
  function locationOf(meta: Uint32Array, id: string): BlobLocation {
    const [packed = 0, offset = 0, length = 0, uncompressed = 0] = meta
    return {
      type: (packed & treeFlag) === 0 ? 'data' : 'tree',
      id,
      pack: packs[packNumberOf(meta)]?.id ?? '',
      offset,
      length,
      ...(uncompressed === 0 ? {} : { uncompressedLength: uncompressed }),
    }
  }
  function firstAt(position: number, id: string): BlobLocation | undefined {
    for (const meta of placesAt(position)) return locationOf(meta, id)
    return undefined
  }
  function positionOf(type: BlobType, id: string): number | undefined {
    wantedBytes.write(id, 'hex')
    const stored = table[findSlot(type)] ?? 0
    return stored === 0 ? undefined : stored - 1
  }
  function isThere(position: number): boolean {
    return aside.size === 0 || !placesAt(position).next().done
  }
  /** The same pack may be named by several indexes. */
  function addPlace(position: number, meta: readonly number[]): void {
    const places = others.get(position) ?? []
    if ([metaAt(position), ...places].some(([packed]) => packed === meta[0])) return
    others.set(position, [...places, Uint32Array.from(meta)])
  }
  function numberOf({ id, blobs }: IndexedPack): number {
    const known = packNumbers.get(id)
    if (known !== undefined) return known
    packs.push({ id, sizeBytes: packFileBytes(blobs) })
    packNumbers.set(id, packs.length - 1)
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
    packNumber: (id) => packNumbers.get(id),
    has(type, id) {
      const position = positionOf(type, id)
      return position !== undefined && isThere(position)
    },
    position: positionOf,
    at: (position) => (position < count ? firstAt(position, idAt(position)) : undefined),
    lookup(type, id) {
      const position = positionOf(type, id)
      return position === undefined ? undefined : firstAt(position, id)
    },
    lookupAll(type, id) {
      const position = positionOf(type, id)
      return position === undefined ? [] : Array.from(placesAt(position), (meta) => locationOf(meta, id))
    },
    add(pack) {
      const packNumber = numberOf(pack)
      for (const { type, id, offset, length, uncompressedLength } of pack.blobs) {
        grow()
        wantedBytes.write(id, 'hex')
        const slot = findSlot(type)
        const meta = [(packNumber | (type === 'tree' ? treeFlag : 0)) >>> 0, offset, length, uncompressedLength ?? 0]
        const stored = table[slot] ?? 0
        if (stored !== 0) {
          addPlace(stored - 1, meta)
          continue
        }
        ids.set(wanted, count * idWords)
        metas.set(meta, count * metaWords)
        table[slot] = ++count
      }
    },
    packs: () => packs.values(),
    setAside(pack) {
      const number = packNumbers.get(pack)
      if (number !== undefined) aside.add(number)
    },
    eachPlace(visit) {
      const tell = (position: number, packed: number, length: number, uncompressed: number) => {
        const pack = packed & ~treeFlag
        if (!aside.has(pack)) visit(position, pack, (packed & treeFlag) === 0 ? 'data' : 'tree', length, uncompressed !== 0)
      }
      for (let position = 0, at = 0; position < count; position++, at += metaWords)
        tell(position, metas[at] ?? 0, metas[at + 2] ?? 0, metas[at + 3] ?? 0)
      for (const [position, places] of others)
        for (const [packed = 0, , length = 0, uncompressed = 0] of places) tell(position, packed, length, uncompressed)
    },
    *entries() {
      for (let position = 0; position < count; position++) {
        const found = firstAt(position, idAt(position))
        if (found !== undefined) yield found
      }
    },
  }
}

/** Of a place as four words: see `metas`. */
function packNumberOf([packed = 0]: Uint32Array): number {
  return packed & ~treeFlag
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
