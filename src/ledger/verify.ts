import type { SealedArea } from '../storage/index.ts'
import type { LedgerHead } from './head-file.ts'
import { listLedger, readEntries, type RecordDamage } from './read.ts'

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
  /** A record known from elsewhere is gone, with all after it: `head` was its hash, `seq` its place if that is known. */
  | { readonly code: 'truncated'; readonly head: string; readonly seq?: number; readonly newest: number }
  /** In the place of a record known from elsewhere stands another one, and the chain agrees with it: the ledger was written anew. */
  | { readonly code: 'rewritten'; readonly head: string; readonly seq: number }

/** A record known from outside the ledger that must be in it. */
export interface Anchor {
  readonly hash: string
  readonly seq?: number
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
  readonly findings: readonly LedgerFinding[]
}

/** Reads every object of a ledger and holds it against the chain and the anchors. */
export async function verifyLedger(
  area: SealedArea,
  anchors: readonly Anchor[],
  signal?: AbortSignal,
): Promise<LedgerVerification> {
  const { seqs, foreign } = await listLedger(area, signal)
  const findings: LedgerFinding[] = foreign.map((name) => ({ code: 'foreign', name }))
  const hashes = new Map<number, string>()
  const misplaced: { seq: number; recordSeq: number; hash?: string }[] = []
  let before = 0
  for await (const { seq, record, damage } of readEntries(area, seqs, signal)) {
    if (seq > before + 1) findings.push({ code: 'missing', from: before + 1, to: seq - 1 })
    before = seq
    if (record) {
      hashes.set(seq, record.hash)
    } else if (damage.code === 'altered') {
      findings.push({ code: 'altered', seq, because: damage.because })
      if ('hash' in damage) hashes.set(seq, damage.hash)
    } else if (damage.code === 'misplaced') {
      misplaced.push({ seq, ...damage })
    } else {
      findings.push({ code: 'missing', from: seq, to: seq })
    }
  }
  for (const { seq, recordSeq, hash } of misplaced) {
    const original = hashes.get(recordSeq)
    const copied = original !== undefined && (hash === undefined || original === hash)
    findings.push(copied ? { code: 'duplicated', seq, of: recordSeq } : { code: 'reordered', seq, recordSeq })
  }
  const newest = seqs.at(-1) ?? 0
  const known = new Set(hashes.values())
  for (const anchor of anchors) {
    if (!known.has(anchor.hash)) findings.push(anchorFinding(anchor, newest, hashes))
  }
  const headHash = hashes.get(newest)
  return {
    verdict: findings.length > 0 ? 'damaged' : seqs.length === 0 ? 'empty' : 'ok',
    checked: seqs.length,
    head: headHash === undefined ? undefined : { seq: newest, hash: headHash },
    anchors: anchors.length,
    findings,
  }
}

function anchorFinding({ hash, seq }: Anchor, newest: number, hashes: ReadonlyMap<number, string>): LedgerFinding {
  if (seq !== undefined && hashes.has(seq)) return { code: 'rewritten', head: hash, seq }
  return { code: 'truncated', head: hash, ...(seq === undefined ? {} : { seq }), newest }
}
