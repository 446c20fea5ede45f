import { isHoldfastError, type HoldfastError } from '../kernel/index.ts'
import type { SealedArea } from '../storage/index.ts'
import { decodeRecord, genesis, recordName, seqOfName, type LedgerRecord, type NotARecord } from './record.ts'
import { readSegment, segmentOf, segmentOfName, segmentSize, type Segment } from './segments.ts'

/**
 * Why the object in a record's place cannot be taken for that record. `next-disagrees`: it reads as a record, but not as the one that
 * the next was written after. `not-first`: it is in the first place, and says that there was one before. `untrusted`: it is whole, and by
 * nobody whose evidence counts.
 */
export type RecordDamage =
  | { readonly code: 'altered'; readonly because: 'does-not-authenticate' | NotARecord }
  | { readonly code: 'altered'; readonly because: 'next-disagrees' | 'not-first'; readonly hash: string }
  | { readonly code: 'missing' }
  | { readonly code: 'misplaced'; readonly recordSeq: number; readonly hash?: string }
  | { readonly code: 'untrusted'; readonly because: 'wrong-signature' | 'unsigned' | 'unknown-key' | 'other-ledger' }

/** What stands in the place of record `seq`. */
export type Entry =
  | { readonly seq: number; readonly record: LedgerRecord; readonly damage?: undefined }
  | { readonly seq: number; readonly record?: undefined; readonly damage: RecordDamage }

/** Every object of an area. */
export interface LedgerListing {
  /** The places that hold something, ascending. */
  readonly seqs: readonly number[]
  /** Those of them that have an object of their own, ascending; one may be in a segment too. */
  readonly loose: readonly number[]
  /** By their first record. */
  readonly segments: ReadonlyMap<number, Segment>
  /** Names that neither a record nor a segment has. */
  readonly foreign: readonly string[]
  /** Bytes of the stored form, by the names of records and segments. */
  readonly sizes: ReadonlyMap<string, number>
}

export async function listLedger(area: SealedArea, signal?: AbortSignal): Promise<LedgerListing> {
  const loose: number[] = []
  const foreign: string[] = []
  const segments = new Map<number, Segment>()
  const sizes = new Map<string, number>()
  for await (const { name, sizeBytes } of area.list('', signal)) {
    const seq = seqOfName(name)
    const segment = segmentOfName(name)
    if (seq !== undefined) loose.push(seq)
    else if (segment) segments.set(segment.from, segment)
    else foreign.push(name)
    if (seq !== undefined || segment) sizes.set(name, sizeBytes)
  }
  loose.sort((a, b) => a - b)
  let seqs: readonly number[] | undefined
  return {
    // Of a large ledger they are a million, and who looks for what is new needs none of them.
    get seqs() {
      return (seqs ??= placesOf(loose, segments))
    },
    loose,
    segments,
    foreign: foreign.sort(),
    sizes,
  }
}

function placesOf(loose: readonly number[], segments: LedgerListing['segments']): number[] {
  const seqs = loose.filter((seq) => !segments.has(segmentOf(seq).from))
  for (const { from, to } of segments.values()) for (let seq = from; seq <= to; seq++) seqs.push(seq)
  return seqs.sort((a, b) => a - b)
}

/**
 * Reads places of a ledger, a segment once for all that follow each other in it.
 *
 * read         what stands in a place: in its segment, or by itself where that is damaged or is not there.
 * readPacked   what its segment holds for it.
 */
export interface PlaceReader {
  read(seq: number, signal?: AbortSignal): Promise<Entry>
  readPacked(seq: number, signal?: AbortSignal): Promise<Entry>
}

/** How many segments are kept, for readers that go through them a few records at a time. */
const keptSegments = 2

/** What is known to be there. Without `loose`, any record may have an object of its own. */
export type KnownObjects = Pick<LedgerListing, 'segments'> & Partial<Pick<LedgerListing, 'loose'>>

/** A record that has been packed since it was listed is found, too. */
export function openPlaceReader(area: SealedArea, { segments, loose }: KnownObjects): PlaceReader {
  const byThemselves = loose && new Set(loose)
  const kept = new Map<number, Promise<readonly Uint8Array[] | RecordDamage>>()
  const segmentLines = (segment: Segment, signal?: AbortSignal) => {
    const known = kept.get(segment.from)
    if (known) return known
    const [oldest] = kept.keys()
    if (kept.size >= keptSegments && oldest !== undefined) kept.delete(oldest)
    const lines = readSegment(area, segment, signal).catch((error: unknown): RecordDamage => {
      if (isHoldfastError(error, 'object-damaged')) return { code: 'altered', because: 'does-not-authenticate' }
      if (isHoldfastError(error, 'object-missing')) return { code: 'missing' }
      throw error
    })
    // Whoever awaits it hears of a failure; that nobody does must not end the process.
    lines.catch(() => {})
    kept.set(segment.from, lines)
    return lines
  }
  const readPacked = async (seq: number, signal?: AbortSignal): Promise<Entry> => {
    const segment = segmentOf(seq)
    const lines = await segmentLines(segment, signal)
    if (!Array.isArray(lines)) return { seq, damage: lines as RecordDamage }
    const line = lines[seq - segment.from] as Uint8Array | undefined
    if (line === undefined || lines.length !== segmentSize) return { seq, damage: { code: 'altered', because: 'not-a-record' } }
    return entryOf(seq, line)
  }
  const readByItself = (seq: number, signal?: AbortSignal) => readLoose(area, seq, signal)
  return {
    async read(seq, signal) {
      const isPacked = segments.has(segmentOf(seq).from)
      const entry = await (isPacked ? readPacked(seq, signal) : readByItself(seq, signal))
      // Neither form hides the other: a segment may be damaged beside what still stands by itself, and what is gone was packed meanwhile.
      if (entry.record || (isPacked && byThemselves?.has(seq) === false)) return entry
      const other = await (isPacked ? readByItself(seq, signal) : readPacked(seq, signal))
      return other.record || entry.damage.code === 'missing' ? other : entry
    },
    readPacked,
  }
}

/** Reads one place. Damage is an outcome; storage that fails for other reasons throws. */
export async function readEntry(area: SealedArea, seq: number, signal?: AbortSignal): Promise<Entry> {
  return openPlaceReader(area, { segments: new Map() }).read(seq, signal)
}

/** Reads the object that a record has for itself. */
export async function readLoose(area: SealedArea, seq: number, signal?: AbortSignal): Promise<Entry> {
  let bytes: Uint8Array
  try {
    bytes = await area.get(recordName(seq), signal)
  } catch (error) {
    if (isHoldfastError(error, 'object-damaged')) return { seq, damage: damageOf(error) }
    if (isHoldfastError(error, 'object-missing')) return { seq, damage: { code: 'missing' } }
    throw error
  }
  return entryOf(seq, bytes)
}

function entryOf(seq: number, bytes: Uint8Array): Entry {
  const record = decodeRecord(bytes)
  if (typeof record === 'string') return { seq, damage: { code: 'altered', because: record } }
  if (record.seq !== seq) return { seq, damage: { code: 'misplaced', recordSeq: record.seq, hash: record.hash } }
  return { seq, record }
}

const readAhead = 16

/** An area seals an object's name with it, so that one put under another name does not open; it says whose it is. */
function damageOf({ details: { storedAs } }: HoldfastError): RecordDamage {
  const name = typeof storedAs === 'string' ? (storedAs.split('/').at(-1) ?? '') : ''
  const recordSeq = seqOfName(name)
  return recordSeq === undefined ? { code: 'altered', because: 'does-not-authenticate' } : { code: 'misplaced', recordSeq }
}

/** The entries of places in ascending order, each held against its neighbours. */
export async function* readEntries(
  area: SealedArea,
  places: KnownObjects & Pick<LedgerListing, 'seqs'>,
  signal?: AbortSignal,
): AsyncGenerator<Entry> {
  let last: Entry | undefined
  for await (const entry of readUnjudged(area, places, signal)) {
    if (last) yield judged(last, entry)
    last = entry
  }
  if (last) yield judged(last, undefined)
}

/** What an entry is with the one above it known. */
export function judged(entry: Entry, above: Entry | undefined): Entry {
  if (!entry.record) return entry
  const { seq, record } = entry
  if (seq === 1 && record.prev !== genesis) return { seq, damage: { code: 'altered', because: 'not-first', hash: record.hash } }
  if (!above?.record || above.seq !== seq + 1 || above.record.prev === record.hash) return entry
  return { seq, damage: { code: 'altered', because: 'next-disagrees', hash: record.hash } }
}

/** The entries of places in ascending order, by themselves, a few being read ahead. */
export async function* readUnjudged(
  area: SealedArea,
  { seqs, ...known }: KnownObjects & Pick<LedgerListing, 'seqs'>,
  signal?: AbortSignal,
): AsyncGenerator<Entry> {
  const reader = openPlaceReader(area, known)
  const inFlight: Promise<Entry>[] = []
  let next = 0
  try {
    for (;;) {
      while (inFlight.length < readAhead && next < seqs.length) inFlight.push(reader.read(seqs[next++] as number, signal))
      const entry = inFlight.shift()
      if (entry === undefined) return
      yield await entry
    }
  } finally {
    // A reader that stops early leaves reads behind: they must end, and must not fail unheard.
    await Promise.allSettled(inFlight)
  }
}
