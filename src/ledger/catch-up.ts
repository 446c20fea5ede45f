import { canonicalJson } from '../kernel/index.ts'
import type { SealedArea } from '../storage/index.ts'
import type { LedgerCache } from './cache.ts'
import { listLedger, readEntry, readUnjudged, type Entry, type LedgerListing, type RecordDamage } from './read.ts'
import { recordName, seqOfName } from './record.ts'
import { segmentName, segmentOf, segmentOfName } from './segments.ts'

/** So many entries are taken in at once: what a killed process has taken in stays. */
const batch = 1024

/**
 * Brings a cache up to what is in the repository: the objects are listed, and only those that are new, or of another size than they were, are
 * read. That an object was changed into another of the same size is for `ledger verify` to find, which reads everything.
 */
export async function catchUp(area: SealedArea, cache: LedgerCache, signal?: AbortSignal): Promise<void> {
  // Before the listing: what another process takes in meanwhile must not look as if it were gone.
  await forgetIfRewritten(area, cache, signal)
  const known = cache.objects()
  const damaged = new Map(cache.damage().map(({ seq, damage }) => [seq, damage]))
  const listing = await listLedger(area, signal)
  const changed = [...listing.sizes].filter(([name, size]) => known.get(name) !== size)
  // What is damaged may have been mended, to the size that it had.
  const mendable = [...damaged.keys()].filter((seq) => isListed(listing, seq))
  const gone = [...known.keys()].filter((name) => !listing.sizes.has(name))
  const lost = gone.flatMap(placesOf).filter((seq) => !isListed(listing, seq))
  if (lost.length > 0)
    cache.take(
      lost.map((seq): Entry => ({ seq, damage: { code: 'missing' } })),
      new Map(),
    )
  if (gone.length > 0) cache.forget(gone)
  const seqs = new Set([...changed.flatMap(([name]) => placesOf(name)), ...mendable])
  if (seqs.size === 0) return
  const { segments, loose } = listing
  const places = { segments, loose, seqs: [...seqs].sort((a, b) => a - b) }
  let entries: Entry[] = []
  const take = () => {
    const names = entries.flatMap(({ seq }) => [recordName(seq), segmentName(segmentOf(seq))])
    const objects = names.flatMap((name) => {
      const size = listing.sizes.get(name)
      return size === undefined ? [] : [[name, size] as const]
    })
    const news = entries.filter((entry) => !isSameDamage(entry, damaged.get(entry.seq)))
    if (news.length > 0) cache.take(news, new Map(objects))
    entries = []
  }
  for await (const entry of readUnjudged(area, places, signal)) {
    entries.push(entry)
    // A segment is taken in whole.
    if (entries.length >= batch && (entry.seq === segmentOf(entry.seq).to || !listing.segments.has(segmentOf(entry.seq).from)))
      take()
  }
  take()
}

/** An end that was cut off and written anew may have objects of the same sizes: what is newest here must be what is there. */
async function forgetIfRewritten(area: SealedArea, cache: LedgerCache, signal?: AbortSignal): Promise<void> {
  const head = cache.head()
  if (head === undefined) return
  const { record } = await readEntry(area, head.seq, signal)
  if (record && record.hash !== head.hash) cache.reset()
}

/** Whether it is as it was: nothing has to be written for it, and no other process waited for. */
function isSameDamage(entry: Entry, damage: RecordDamage | undefined): boolean {
  if (damage === undefined) return false
  if (entry.damage) return canonicalJson(entry.damage) === canonicalJson(damage)
  return damage.code === 'altered' && 'hash' in damage && damage.hash === entry.record.hash
}

function placesOf(name: string): number[] {
  const seq = seqOfName(name)
  if (seq !== undefined) return [seq]
  const segment = segmentOfName(name)
  if (!segment) return []
  return Array.from({ length: segment.to - segment.from + 1 }, (_, index) => segment.from + index)
}

function isListed({ segments, sizes }: LedgerListing, seq: number): boolean {
  return segments.has(segmentOf(seq).from) || sizes.has(recordName(seq))
}
