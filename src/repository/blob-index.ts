import type { BlobEntry, BlobType } from './blob.ts'
import { PackRuns } from './blob-table/pack-runs.ts'
import { BlobSegments, isNarrow, tooWide, type Place } from './blob-table/segments.ts'
import { Slots } from './blob-table/slots.ts'
import type { StoredBlobsMemory } from './blob-table/stored-blobs.ts'
import type { IndexedPack } from './index-file.ts'
import { compressedEntryBytes, plainEntryBytes, sealedFixedBytes } from './pack-header.ts'

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
  /** As add, for a pack whose blobs are told one after the other. */
  begin(pack: string): AddToPack
  /** So many blobs will be known: to make room for them at once. */
  reserve(blobs: number): void
  /** The packs named by any index, with the size that each must have. */
  packs(): IterableIterator<{ readonly id: string; readonly sizeBytes: number }>
  /** Counts a pack as not there: its blobs are unknown from now on, unless another pack holds them or comes to hold them. */
  setAside(pack: string): void
  /** Every place of every blob in packs that are there, in no order, told in numbers: for tables over a whole repository. */
  eachPlace(visit: VisitPlace): void
  /** Every blob once, in no order. */
  entries(): IterableIterator<BlobLocation>
  /** For StoredBlobs in other threads. */
  share(): StoredBlobsMemory
  /** Of memory, per blob in the long run: 42 for the blob itself, the rest to find it. */
  readonly bytes: number
}

/** The id is 8 little-endian words from `from` on. The place is copied. */
export type AddToPack = (words: Uint32Array, from: number, isTree: boolean, place: Place) => void

/** About 47 bytes a blob in shared memory, and no objects. */
export function createBlobIndex(): BlobIndex {
  return new SegmentedBlobIndex()
}

interface OtherPlace extends Place {
  readonly pack: number
}

class SegmentedBlobIndex implements BlobIndex {
  readonly #segments = new BlobSegments()
  readonly #slots = new Slots(this.#segments)
  readonly #runs = new PackRuns()
  readonly #packs: { readonly id: string; sizeBytes: number }[] = []
  readonly #packNumbers = new Map<string, number>()
  readonly #aside = new Set<number>()
  /** Further places of blobs that are in several packs, by position: few blobs are. */
  readonly #others = new Map<number, OtherPlace[]>()
  /** Places with numbers that fit no segment, by position: hardly any have. */
  readonly #wide = new Map<number, Place>()
  readonly #wanted = new Uint32Array(8)
  readonly #wantedBytes = Buffer.from(this.#wanted.buffer)
  #count = 0

  get size(): number {
    return this.#count
  }

  get packCount(): number {
    return this.#packs.length
  }

  get bytes(): number {
    return this.#segments.memory.reduce((sum, { byteLength }) => sum + byteLength, this.#slots.bytes)
  }

  hasPack(id: string): boolean {
    return this.#packNumbers.has(id)
  }

  packNumber(id: string): number | undefined {
    return this.#packNumbers.get(id)
  }

  has(type: BlobType, id: string): boolean {
    const position = this.position(type, id)
    return position !== undefined && this.#isThere(position)
  }

  position(type: BlobType, id: string): number | undefined {
    this.#wantedBytes.write(id, 'hex')
    const position = this.#slots.find(this.#wanted, 0, type === 'tree')
    return position < 0 ? undefined : position
  }

  at(position: number): BlobLocation | undefined {
    if (position >= this.#count) return undefined
    for (const place of this.#placesAt(position)) return this.#location(position, place)
    return undefined
  }

  lookup(type: BlobType, id: string): BlobLocation | undefined {
    const position = this.position(type, id)
    return position === undefined ? undefined : this.at(position)
  }

  lookupAll(type: BlobType, id: string): BlobLocation[] {
    const position = this.position(type, id)
    if (position === undefined) return []
    return Array.from(this.#placesAt(position), (place) => this.#location(position, place))
  }

  add({ id: pack, blobs }: IndexedPack): void {
    const add = this.begin(pack)
    for (const { type, id, offset, length, uncompressedLength = 0 } of blobs) {
      this.#wantedBytes.write(id, 'hex')
      add(this.#wanted, 0, type === 'tree', { offset, length, uncompressed: uncompressedLength })
    }
  }

  begin(id: string): AddToPack {
    const known = this.#packNumbers.get(id)
    const pack = known ?? this.#packs.length
    const entry = { id, sizeBytes: sealedFixedBytes }
    if (known === undefined) {
      this.#packs.push(entry)
      this.#packNumbers.set(id, pack)
    }
    return (words, from, isTree, place) => {
      // Of a pack that several indexes name, the first tells the size.
      entry.sizeBytes += place.length + (place.uncompressed === 0 ? plainEntryBytes : compressedEntryBytes)
      const found = this.#slots.find(words, from, isTree)
      if (found >= 0) this.#addPlace(found, { ...place, pack })
      else {
        const position = this.#count++
        this.#runs.begin(position, pack)
        this.#segments.set(position, words, from, isTree, this.#narrow(position, place))
        this.#slots.put(-1 - found)
      }
    }
  }

  reserve(blobs: number): void {
    this.#slots.reserve(blobs)
  }

  packs(): IterableIterator<{ readonly id: string; readonly sizeBytes: number }> {
    return this.#packs.values()
  }

  setAside(pack: string): void {
    const number = this.#packNumbers.get(pack)
    if (number !== undefined) this.#aside.add(number)
  }

  eachPlace(visit: VisitPlace): void {
    for (const { start, end, pack } of this.#runs.runs(this.#count)) {
      if (this.#aside.has(pack)) continue
      for (let position = start; position < end; position++) {
        const { length, uncompressed } = this.#firstPlace(position)
        visit(position, pack, this.#type(position), length, uncompressed !== 0)
      }
    }
    for (const [position, places] of this.#others)
      for (const { pack, length, uncompressed } of places)
        if (!this.#aside.has(pack)) visit(position, pack, this.#type(position), length, uncompressed !== 0)
  }

  *entries(): IterableIterator<BlobLocation> {
    for (let position = 0; position < this.#count; position++) {
      const found = this.at(position)
      if (found !== undefined) yield found
    }
  }

  share(): StoredBlobsMemory {
    return { segments: [...this.#segments.memory], slots: this.#slots.memory, gone: this.#gone() }
  }

  #gone(): SharedArrayBuffer | undefined {
    if (this.#aside.size === 0) return undefined
    const bits = new Uint8Array(new SharedArrayBuffer(Math.max(1, (this.#count + 7) >>> 3)))
    for (let position = 0; position < this.#count; position++)
      if (!this.#isThere(position)) bits[position >>> 3] = (bits[position >>> 3] ?? 0) | (1 << (position & 7))
    return bits.buffer
  }

  #narrow(position: number, place: Place): Place {
    if (isNarrow(place)) return place
    this.#wide.set(position, { ...place })
    return { offset: 0, length: tooWide, uncompressed: 0 }
  }

  /** The same pack may be named by several indexes. */
  #addPlace(position: number, place: OtherPlace): void {
    const others = this.#others.get(position) ?? []
    if (this.#runs.packOf(position) === place.pack || others.some(({ pack }) => pack === place.pack)) return
    this.#others.set(position, [...others, place])
  }

  #firstPlace(position: number): Place {
    const place = this.#segments.place(position)
    return place.length === tooWide ? (this.#wide.get(position) ?? place) : place
  }

  /** Those in packs that are there. */
  *#placesAt(position: number): Generator<OtherPlace> {
    const pack = this.#runs.packOf(position)
    if (!this.#aside.has(pack)) yield { ...this.#firstPlace(position), pack }
    for (const place of this.#others.get(position) ?? []) if (!this.#aside.has(place.pack)) yield place
  }

  #isThere(position: number): boolean {
    return this.#aside.size === 0 || !this.#placesAt(position).next().done
  }

  #type(position: number): BlobType {
    return this.#segments.isTree(position) ? 'tree' : 'data'
  }

  #location(position: number, { pack, offset, length, uncompressed }: OtherPlace): BlobLocation {
    return {
      type: this.#type(position),
      id: this.#segments.id(position),
      pack: this.#packs[pack]?.id ?? '',
      offset,
      length,
      ...(uncompressed === 0 ? {} : { uncompressedLength: uncompressed }),
    }
  }
}
