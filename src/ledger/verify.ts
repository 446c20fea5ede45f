import type { SealedArea } from '../storage/index.ts'
import type { LedgerHead } from './head-file.ts'
import { listLedger, openPlaceReader, readEntries, readLoose, type LedgerListing, type RecordDamage } from './read.ts'
import { segmentOf } from './segments.ts'
import { watchWriters, type LedgerWriter, type SignatureCounts, type WriterFinding, type WriterQuestion } from './writers.ts'

/** One thing that is wrong with a ledger. `seq` names the place, which is also the object's name. */
export type LedgerFinding =
  /** The object is not the record that was written here (RecordDamage says what each reason means). */
  | { readonly code: 'altered'; readonly seq: number; readonly because: (RecordDamage & { code: 'altered' })['because'] }
  /** A hole: no objects for these records, and later ones are there. */
  | { readonly code: 'missing'; readonly from: number; readonly to: number }
  /** The record in this place was written for another: moved, swapped or put back from elsewhere. */
  | { readonly code: 'reordered'; readonly seq: number; readonly recordSeq: number }
  /** A second copy of the record `of`, which also stands in its own place. */
  | { readonly code: 'duplicated'; readonly seq: number; readonly of: number }
  /** An object whose name no record has. */
  | { readonly code: 'foreign'; readonly name: string }
  /** A record by itself in a place that a segment holds another one for. */
  | { readonly code: 'forked'; readonly seq: number }
  /**
   * A record known from elsewhere is gone, with all after it: `head` was its hash, `seq` its place if that is known, `knownTo` the ledger
   * whose records name it.
   */
  | {
      readonly code: 'truncated'
      readonly head: string
      readonly seq?: number
      readonly newest: number
      readonly knownTo?: string
    }
  /** In the place of a record known from elsewhere stands another one, and the chain agrees with it: the ledger was written anew. */
  | { readonly code: 'rewritten'; readonly head: string; readonly seq: number; readonly knownTo?: string }
  | WriterFinding

/** A record known from outside the ledger that must be in it. */
export interface Anchor {
  readonly hash: string
  readonly seq?: number
  /** The id of the ledger that names it. */
  readonly knownTo?: string
}

export interface LedgerVerification {
  /** `empty`: there was nothing to verify, which is not a pass. */
  readonly verdict: 'ok' | 'damaged' | 'empty'
  readonly checked: number
  readonly head: LedgerHead | undefined
  /** How many records known from elsewhere were looked for. With none, records cut off the end would not be noticed. */
  readonly anchors: number
  /** Why this machine could not look at, or keep, what it remembers. */
  readonly notRemembered?: string
  /** How many records were signed by whom. */
  readonly signatures: SignatureCounts
  readonly writers: readonly LedgerWriter[]
  readonly findings: readonly LedgerFinding[]
}

export interface VerifyQuestion extends WriterQuestion {
  readonly anchors: readonly Anchor[]
}

/** A verification, and what the same look at the ledger tells about others. */
export interface Examination {
  readonly verification: LedgerVerification
  /** Of the records that can be read, by their places. */
  readonly hashes: ReadonlyMap<number, string>
  /** Heads of other ledgers that its records name, by the ids of those. */
  readonly seen: ReadonlyMap<string, readonly LedgerHead[]>
}

/** Reads every object of a ledger and holds it against the chain, the signatures and the anchors. */
export async function examineLedger(area: SealedArea, question: VerifyQuestion, signal?: AbortSignal): Promise<Examination> {
  const listing = await listLedger(area, signal)
  const { seqs, foreign } = listing
  const findings: LedgerFinding[] = foreign.map((name) => ({ code: 'foreign', name }))
  const hashes = new Map<number, string>()
  const misplaced: { seq: number; recordSeq: number; hash?: string }[] = []
  const watch = watchWriters(question)
  let before = 0
  for await (const { seq, record, damage } of readEntries(area, listing, signal)) {
    if (seq > before + 1) findings.push({ code: 'missing', from: before + 1, to: seq - 1 })
    watch.unreadable(seq - before - 1 + (record ? 0 : 1))
    before = seq
    if (record) {
      hashes.set(seq, record.hash)
      watch.see(record)
    } else if (damage.code === 'altered') {
      findings.push({ code: 'altered', seq, because: damage.because })
      if ('hash' in damage) hashes.set(seq, damage.hash)
    } else if (damage.code === 'misplaced') {
      misplaced.push({ seq, ...damage })
    } else if (damage.code === 'missing') {
      findings.push({ code: 'missing', from: seq, to: seq })
    }
  }
  findings.push(...(await examineBothForms(area, listing, signal)))
  for (const { seq, recordSeq, hash } of misplaced) {
    const original = hashes.get(recordSeq)
    const copied = original !== undefined && (hash === undefined || original === hash)
    findings.push(copied ? { code: 'duplicated', seq, of: recordSeq } : { code: 'reordered', seq, recordSeq })
  }
  const { seen, findings: ofWriters, ...writing } = watch.result()
  findings.push(...ofWriters)
  const newest = seqs.at(-1) ?? 0
  const headHash = hashes.get(newest)
  const examination: Examination = {
    verification: {
      verdict: findings.length > 0 ? 'damaged' : seqs.length === 0 ? 'empty' : 'ok',
      checked: seqs.length,
      head: headHash === undefined ? undefined : { seq: newest, hash: headHash },
      anchors: 0,
      ...writing,
      findings,
    },
    hashes,
    seen,
  }
  return { ...examination, verification: heldAgainst(examination, question.anchors) }
}

/** Packing leaves both forms of a record when it is killed: they must be the same. One that was removed since the listing was packed meanwhile. */
async function examineBothForms(area: SealedArea, listing: LedgerListing, signal?: AbortSignal): Promise<LedgerFinding[]> {
  const findings: LedgerFinding[] = []
  const reader = openPlaceReader(area, listing)
  for (const seq of listing.loose) {
    if (!listing.segments.has(segmentOf(seq).from)) continue
    const [byItself, packed] = [await readLoose(area, seq, signal), await reader.readPacked(seq, signal)]
    if (byItself.damage?.code === 'missing') continue
    if (byItself.record && byItself.record.hash === packed.record?.hash) continue
    if (packed.record) findings.push({ code: 'forked', seq })
    else if (byItself.record && packed.damage.code === 'altered')
      findings.push({ code: 'altered', seq, because: packed.damage.because })
    else if (byItself.record && packed.damage.code === 'misplaced')
      findings.push({ code: 'reordered', seq, recordSeq: packed.damage.recordSeq })
  }
  return findings
}

/** What a verification comes to when more is known of the ledger. */
export function heldAgainst({ verification, hashes }: Examination, anchors: readonly Anchor[]): LedgerVerification {
  const known = new Set(hashes.values())
  const newest = newestOf(hashes)
  const gone = anchors.filter(({ hash }) => !known.has(hash)).map((anchor) => anchorFinding(anchor, newest, hashes))
  return {
    ...verification,
    verdict: gone.length > 0 ? 'damaged' : verification.verdict,
    anchors: verification.anchors + anchors.length,
    findings: [...verification.findings, ...gone],
  }
}

function anchorFinding({ hash, seq, knownTo }: Anchor, newest: number, hashes: ReadonlyMap<number, string>): LedgerFinding {
  const by = knownTo === undefined ? {} : { knownTo }
  if (seq !== undefined && hashes.has(seq)) return { code: 'rewritten', head: hash, seq, ...by }
  return { code: 'truncated', head: hash, ...(seq === undefined ? {} : { seq }), newest, ...by }
}

function newestOf(hashes: ReadonlyMap<number, string>): number {
  let newest = 0
  for (const seq of hashes.keys()) newest = Math.max(newest, seq)
  return newest
}
