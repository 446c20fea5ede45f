import { isHoldfastError, type HoldfastError } from '../kernel/index.ts'
import type { SealedArea } from '../storage/index.ts'
import { decodeRecord, genesis, recordName, seqOfName, type LedgerRecord, type NotARecord } from './record.ts'

/**
 * Why the object in a record's place cannot be taken for that record. `next-disagrees`: it reads as a record, but not as the one that
 * the next was written after. `not-first`: it is in the first place, and says that there was one before.
 */
export type RecordDamage =
  | { readonly code: 'altered'; readonly because: 'does-not-authenticate' | NotARecord }
  | { readonly code: 'altered'; readonly because: 'next-disagrees' | 'not-first'; readonly hash: string }
  | { readonly code: 'missing' }
  | { readonly code: 'misplaced'; readonly recordSeq: number; readonly hash?: string }

/** What stands in the place of record `seq`. */
export type Entry =
  | { readonly seq: number; readonly record: LedgerRecord; readonly damage?: undefined }
  | { readonly seq: number; readonly record?: undefined; readonly damage: RecordDamage }

/** Every object of the area: the places that hold something, in order, and names that no record has. */
export async function listLedger(area: SealedArea, signal?: AbortSignal): Promise<{ seqs: number[]; foreign: string[] }> {
  const seqs: number[] = []
  const foreign: string[] = []
  for await (const { name } of area.list('', signal)) {
    const seq = seqOfName(name)
    if (seq === undefined) foreign.push(name)
    else seqs.push(seq)
  }
  return { seqs: seqs.sort((a, b) => a - b), foreign: foreign.sort() }
}

/** Reads one place. Damage is an outcome; storage that fails for other reasons throws. */
export async function readEntry(area: SealedArea, seq: number, signal?: AbortSignal): Promise<Entry> {
  let bytes: Uint8Array
  try {
    bytes = await area.get(recordName(seq), signal)
  } catch (error) {
    if (isHoldfastError(error, 'object-damaged')) return { seq, damage: damageOf(error) }
    if (isHoldfastError(error, 'object-missing')) return { seq, damage: { code: 'missing' } }
    throw error
  }
  const record = decodeRecord(bytes)
  if (typeof record === 'string') return { seq, damage: { code: 'altered', because: record } }
  if (record.seq !== seq) return { seq, damage: { code: 'misplaced', recordSeq: record.seq, hash: record.hash } }
  return { seq, record }
}

const readAhead = 16

/** An area seals an object's name with it, so that one put under another name does not open; it says whose it is. */
function damageOf({ details: { storedAs } }: HoldfastError): RecordDamage {
  const recordSeq = typeof storedAs === 'string' ? seqOfName(storedAs.split('/').at(-1) ?? '') : undefined
  return recordSeq === undefined ? { code: 'altered', because: 'does-not-authenticate' } : { code: 'misplaced', recordSeq }
}

/** The entries of `seqs`, which ascend or descend by ones where there is no hole, each held against its neighbours. */
export async function* readEntries(area: SealedArea, seqs: readonly number[], signal?: AbortSignal): AsyncGenerator<Entry> {
  let last: Entry | undefined
  for await (const entry of readAheadEntries(area, seqs, signal)) {
    // Going down, the record above has been seen; going up, an entry waits for it.
    if (last && last.seq < entry.seq) yield judged(last, entry)
    if (last && last.seq > entry.seq) yield judged(entry, last)
    else if (!last && isDescending(seqs)) yield judged(entry, undefined)
    last = entry
  }
  if (last && !isDescending(seqs)) yield judged(last, undefined)
}

function isDescending(seqs: readonly number[]): boolean {
  return (seqs[0] ?? 0) > (seqs.at(-1) ?? 0)
}

function judged(entry: Entry, above: Entry | undefined): Entry {
  if (!entry.record) return entry
  const { seq, record } = entry
  if (seq === 1 && record.prev !== genesis) return { seq, damage: { code: 'altered', because: 'not-first', hash: record.hash } }
  if (!above?.record || above.seq !== seq + 1 || above.record.prev === record.hash) return entry
  return { seq, damage: { code: 'altered', because: 'next-disagrees', hash: record.hash } }
}

/** The entries of `seqs` in that order, a few being read ahead. */
async function* readAheadEntries(area: SealedArea, seqs: readonly number[], signal?: AbortSignal): AsyncGenerator<Entry> {
  const inFlight: Promise<Entry>[] = []
  let next = 0
  try {
    for (;;) {
      while (inFlight.length < readAhead && next < seqs.length) inFlight.push(readEntry(area, seqs[next++] as number, signal))
      const entry = inFlight.shift()
      if (entry === undefined) return
      yield await entry
    }
  } finally {
    // A reader that stops early leaves reads behind: they must end, and must not fail unheard.
    await Promise.allSettled(inFlight)
  }
}
