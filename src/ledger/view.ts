import { HoldfastError } from '../kernel/index.ts'
import type { SealedArea } from '../storage/index.ts'
import { cacheLossOf } from './cache-file.ts'
import { openLedgerCache, useKey, type CachedRow, type LedgerCache } from './cache.ts'
import { catchUp } from './catch-up.ts'
import type { EvidenceKind } from './evidence.ts'
import type { LedgerHead } from './head-file.ts'
import type { RecordDamage } from './read.ts'
import type { EvidenceRecord, LedgerRecord } from './record.ts'
import type { Usefulness } from './usefulness.ts'
import type { LedgerWriter } from './writers.ts'

/** A place whose object is not the record that belongs there, or that holds one by nobody whose evidence counts. */
export interface DamagedPlace {
  readonly seq: number
  readonly damage: RecordDamage
}

export interface RecordsFilter {
  readonly kinds?: readonly EvidenceKind[]
  /** Null: those that are about none. */
  readonly service?: string | null
  /** Only those whose time is in this range; the end is not in it. */
  readonly from?: Date
  readonly to?: Date
  readonly order?: 'oldest-first' | 'newest-first'
  readonly limit?: number
  /** Records by nobody whose evidence counts are damaged places, unless they are asked for. */
  readonly untrusted?: 'refuse' | 'include'
  /** Only what stands behind this place, in the order that is asked for. */
  readonly behind?: number
  /** Called for each damaged place met on the way, which is then passed over. Without it the first one throws `ledger-damaged`. */
  readonly onDamage?: (place: DamagedPlace) => void
}

export interface NewestQuestion<Kind extends EvidenceKind> {
  readonly kind: Kind
  /** Null: those that are about none. */
  readonly service?: string | null
  /** What they show (usefulness.ts). */
  readonly useful: Usefulness
  /** So many that are not later than `until`, and all that are. */
  readonly limit: number
  readonly until: Date
  readonly onDamage: (place: DamagedPlace) => void
}

export type LastQuestion<Kind extends EvidenceKind> = Pick<NewestQuestion<Kind>, 'kind' | 'useful' | 'onDamage'>

/**
 * A ledger as it was a moment ago. Answers come from what this machine has read of it, without waiting.
 *
 * newest   the newest by their own time, which is not the order that they were written in.
 * last     the one that was written last, whatever the clocks of their writers said.
 * about    all records of some snapshots or runs, in the order that they were written in; of snapshots also the recoveries that brought them back.
 * damaged  places that hold no record; those that nobody trusts are told when they are met.
 */
export interface LedgerView extends Disposable {
  records(filter?: RecordsFilter): Generator<LedgerRecord>
  newest<Kind extends EvidenceKind>(question: NewestQuestion<Kind>): EvidenceRecord<Kind>[]
  last<Kind extends EvidenceKind>(question: LastQuestion<Kind>): EvidenceRecord<Kind> | undefined
  about<Kind extends EvidenceKind>(
    kind: Kind,
    subjects: readonly string[],
    onDamage: (place: DamagedPlace) => void,
  ): EvidenceRecord<Kind>[]
  /**
   * Whether the error is that the cache was lost, which is no answer: what was wrong with it was thrown away then, and whoever opens a view
   * again reads the repository.
   */
  isLost(error: unknown): boolean
  readonly count: number
  readonly head: LedgerHead | undefined
  readonly damaged: readonly DamagedPlace[]
  readonly writers: readonly LedgerWriter[]
}

export interface ViewOptions {
  readonly cacheFile?: string | undefined
  readonly id?: string | undefined
  readonly knownKeys: ReadonlyMap<string, string>
}

/** Left to itself, SQLite may go through all records of the kind instead of looking the subjects up. */
const aboutAny = `seq IN (
    SELECT found.seq FROM json_each(?1) AS asked CROSS JOIN record AS found INDEXED BY record_subject ON found.subject = asked.value
    UNION
    SELECT found.seq FROM json_each(?1) AS asked CROSS JOIN restored AS found INDEXED BY restored_snapshot ON found.snapshot = asked.value
  ) AND +kind = ?2 ORDER BY seq`

/** Rows that are read at once. */
const page = 256

export async function openLedgerView(area: SealedArea, options: ViewOptions, signal?: AbortSignal): Promise<LedgerView> {
  const { cacheFile, ...unkept } = options
  const cache = openLedgerCache(cacheFile)
  let isAnew = false
  for (;;) {
    try {
      await catchUp(area, cache, signal)
      return viewOf(cache, options)
    } catch (error) {
      const loss = cacheFile === undefined ? undefined : cacheLossOf(error)
      if (loss === 'wrong' && !isAnew) {
        isAnew = true
        cache.reset()
        continue
      }
      cache.close()
      if (loss === undefined) throw error
      return openLedgerView(area, unkept, signal)
    }
  }
}

/** What is wrong with a cache is not kept for the next one. */
function isLost(cache: LedgerCache, error: unknown): boolean {
  if (error instanceof WrongCache) return true
  const loss = cacheLossOf(error)
  if (loss === 'wrong') cache.reset()
  return loss !== undefined
}

function viewOf(cache: LedgerCache, { id, knownKeys }: ViewOptions): LedgerView {
  const damaged = cache.damage()
  const writers = cache.writers()
  const signingBegan = cache.signingBegan([...knownKeys.keys()])
  let uses: ReadonlySet<string> | undefined

  /** Why a record counts for nothing, though it is whole. */
  const distrust = (row: CachedRow, record: LedgerRecord): RecordDamage | undefined => {
    const because = (() => {
      const { writer, signature, ledger, seq } = record
      if (writer === undefined && signature === undefined)
        return signingBegan !== undefined && seq > signingBegan ? 'unsigned' : undefined
      if (writer === undefined || !cache.isSigned(row, record)) return 'wrong-signature'
      if (id !== undefined && ledger !== id) return 'other-ledger'
      return knownKeys.size > 0 && !knownKeys.has(writer.key) ? 'unknown-key' : undefined
    })()
    return because && { code: 'untrusted', because }
  }

  /** The records of rows; those that count for nothing are told. */
  function* recordsOf(
    rows: Iterable<CachedRow>,
    onDamage: (place: DamagedPlace) => void,
    { isTrusting = false, shape = 'as-written' }: { isTrusting?: boolean; shape?: 'whole' | 'as-written' } = {},
  ) {
    for (const row of rows) {
      const record = cache.record(row, shape)
      if (record === undefined) throw wrongCache(cache)
      const damage = isTrusting ? undefined : distrust(row, record)
      if (damage) onDamage({ seq: row.seq, damage })
      else yield record
    }
  }

  return {
    count: writers.reduce((sum, { records }) => sum + records, 0),
    head: cache.head(),
    damaged,
    writers: writers.flatMap(({ key, ...writer }) => {
      const name = knownKeys.get(key)
      return key === '' ? [] : [{ key, ...(name === undefined ? {} : { name }), ...writer }]
    }),

    *records({
      kinds,
      service,
      from,
      to,
      order = 'oldest-first',
      limit = Infinity,
      untrusted,
      behind,
      onDamage = throwDamage,
    } = {}) {
      if (limit <= 0) return
      const isOldestFirst = order === 'oldest-first'
      const start = behind ?? (isOldestFirst ? 0 : Number.MAX_SAFE_INTEGER)
      const isBefore = (a: number, b: number) => (isOldestFirst ? a < b : a > b)
      const places = (isOldestFirst ? [...damaged] : damaged.toReversed()).filter(({ seq }) => isBefore(start, seq))
      const conditions = [
        ...(service === undefined ? [] : ['service IS ?']),
        ...(from ? ['time >= ?'] : []),
        ...(to ? ['time < ?'] : []),
      ]
      const values = [...(service === undefined ? [] : [service]), ...[from, to].flatMap((at) => at?.getTime() ?? [])]
      const rowsOfKind = (kind: string | undefined) =>
        pages(
          cache,
          [...(kind === undefined ? [] : ['kind = ?']), ...conditions],
          [...(kind === undefined ? [] : [kind]), ...values],
          isOldestFirst,
          start,
        )
      const rows = kinds ? merged(kinds.map(rowsOfKind), isBefore) : rowsOfKind(undefined)
      let left = limit
      for (const record of recordsOf(rows, onDamage, { isTrusting: untrusted === 'include', shape: 'whole' })) {
        while (places[0] && isBefore(places[0].seq, record.seq)) onDamage(places.shift() as DamagedPlace)
        // Of a kind by its name, and of another shape: a newer program wrote it.
        if (kinds && record.kind === 'unknown') continue
        yield record
        if (--left <= 0) return
      }
      for (const place of places) onDamage(place)
    },

    newest<Kind extends EvidenceKind>({ kind, service, useful, limit, until, onDamage }: NewestQuestion<Kind>) {
      uses ??= cache.uses()
      if (service !== undefined && !uses.has(useKey(kind, service, useful))) return []
      const which = ['kind = ?', ...(service === undefined ? [] : ['service IS ?']), 'useful = ?'].join(' AND ')
      const values = [kind, ...(service === undefined ? [] : [service]), useful]
      const found: LedgerRecord[] = []
      let wanted = limit
      for (let skipped = 0; found.length < wanted;) {
        const rows = cache.rows(`${which} ORDER BY time DESC, seq DESC LIMIT ? OFFSET ?`, [...values, limit, skipped])
        const later = rows.filter(({ time }) => time > until.getTime())
        const counted = [...recordsOf(later, onDamage)]
        wanted += counted.length
        found.push(...counted)
        for (const record of recordsOf(rows.slice(later.length), onDamage)) if (found.length < wanted) found.push(record)
        skipped += rows.length
        if (rows.length < limit) break
      }
      return ofKind(found, kind)
    },

    last<Kind extends EvidenceKind>({ kind, useful, onDamage }: LastQuestion<Kind>) {
      const rows = pages(cache, ['kind = ?', 'useful = ?'], [kind, useful], false, Number.MAX_SAFE_INTEGER)
      for (const record of recordsOf(rows, onDamage)) if (record.kind === kind) return record as unknown as EvidenceRecord<Kind>
      return undefined
    },

    about<Kind extends EvidenceKind>(kind: Kind, subjects: readonly string[], onDamage: (place: DamagedPlace) => void) {
      const rows = cache.rows(aboutAny, [JSON.stringify(subjects), kind])
      return ofKind([...recordsOf(rows, onDamage)], kind)
    },

    isLost: (error) => isLost(cache, error),

    [Symbol.dispose]: () => cache.close(),
  }
}

/** The rows that meet all conditions, in the order of their places, read some at a time. */
function* pages(
  cache: LedgerCache,
  conditions: readonly string[],
  values: readonly (string | number | null)[],
  isOldestFirst: boolean,
  start: number,
): Generator<CachedRow> {
  const where = [...conditions, `seq ${isOldestFirst ? '>' : '<'} ?`].join(' AND ')
  for (let last = start; ;) {
    const rows = cache.rows(`${where} ORDER BY seq ${isOldestFirst ? 'ASC' : 'DESC'} LIMIT ${page}`, [...values, last])
    yield* rows
    if (rows.length < page) return
    last = rows.at(-1)?.seq ?? last
  }
}

/** Rows of several kinds in one order. */
function* merged(streams: Generator<CachedRow>[], isBefore: (a: number, b: number) => boolean): Generator<CachedRow> {
  const heads = streams.map((stream) => stream.next().value as CachedRow | undefined)
  for (;;) {
    let first: number | undefined
    for (const [index, head] of heads.entries()) {
      const best = first === undefined ? undefined : heads[first]
      if (head && (best === undefined || isBefore(head.seq, best.seq))) first = index
    }
    const row = first === undefined ? undefined : heads[first]
    if (first === undefined || row === undefined) return
    heads[first] = streams[first]?.next().value as CachedRow | undefined
    yield row
  }
}

function ofKind<Kind extends EvidenceKind>(records: readonly LedgerRecord[], kind: Kind): EvidenceRecord<Kind>[] {
  return records.filter((record) => record.kind === kind) as unknown as EvidenceRecord<Kind>[]
}

/** A row that is not what was put there: the next reader begins anew. */
function wrongCache(cache: LedgerCache): WrongCache {
  cache.reset()
  return new WrongCache()
}

/** What was kept of a ledger was not what had been read of it, and was thrown away: whoever asks again gets what is in the repository. */
class WrongCache extends Error {
  override readonly name = 'WrongCache'
}

function throwDamage({ seq, damage }: DamagedPlace): never {
  throw new HoldfastError('ledger-damaged', {
    message: `ledger record ${seq} is ${damage.code}`,
    hint: 'run `holdfast ledger verify` to see all that is wrong with it',
    details: { seq, ...damage },
  })
}
