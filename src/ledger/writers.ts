import type { LedgerHead } from './head-file.ts'
import { genesis, signedText, type LedgerRecord, type WriterLink } from './record.ts'
import { isSignedBy } from './signing-key.ts'

/** What is wrong with who wrote a ledger. */
export type WriterFinding =
  /** The signature is not that of the record's text by the record's key, or is missing. */
  | { readonly code: 'wrong-signature'; readonly seq: number }
  /** Nobody signed it, and records before it are signed. */
  | { readonly code: 'unsigned'; readonly seq: number }
  /** Signed by a key that nobody named, in a place where the known ones are named: `records` of them, this one the first. */
  | { readonly code: 'unknown-key'; readonly seq: number; readonly key: string; readonly records: number }
  /** Signed for another ledger. */
  | { readonly code: 'other-ledger'; readonly seq: number; readonly ledger: string }
  /** Records of this writer are not there: `from` to `to` of its own count are missing before `seq`. */
  | { readonly code: 'writer-gap'; readonly seq: number; readonly key: string; readonly from: number; readonly to: number }
  /** The writer has two records in one place of its chain: its past was written anew, or the key was copied to another machine. */
  | { readonly code: 'writer-fork'; readonly seq: number; readonly key: string; readonly n: number }

/** Whoever signed records of a ledger. */
export interface LedgerWriter {
  readonly key: string
  /** What the catalog calls it; absent: the key is unknown. */
  readonly name?: string
  /** The machine that its newest record names. */
  readonly host: string
  readonly records: number
  readonly first: Date
  readonly last: Date
}

export interface SignatureCounts {
  readonly known: number
  readonly unknown: number
  /** From before signing began. */
  readonly unsigned: number
  readonly wrong: number
}

/** How the signature of a record stands, without its place in the ledger. */
export type SignatureState = 'unsigned' | 'signed' | 'wrong'

export function signatureState({ canonical, writer, signature }: LedgerRecord): SignatureState {
  if (writer === undefined && signature === undefined) return 'unsigned'
  if (writer === undefined || signature === undefined) return 'wrong'
  return isSignedBy(writer.key, signedText(canonical, signature), signature) ? 'signed' : 'wrong'
}

export interface WriterQuestion {
  /** The ledger's id. Absent: which ledger a record was signed for is not looked at. */
  readonly id?: string
  readonly knownKeys: ReadonlyMap<string, string>
}

/** Looks at the records of a ledger, oldest first, for who wrote them. `unreadable` is told of every place that holds no record. */
export function watchWriters({ id, knownKeys }: WriterQuestion) {
  const findings: WriterFinding[] = []
  const writers = new Map<string, Mutable<LedgerWriter> & { n: number; hash: string; unreadable: number }>()
  const unknown = new Map<string, Mutable<Extract<WriterFinding, { code: 'unknown-key' }>>>()
  const counts = { known: 0, unknown: 0, unsigned: 0, wrong: 0 }
  /** Heads of other ledgers that records name: by ledger, then by hash. */
  const seen = new Map<string, Map<string, LedgerHead>>()
  let signingBegan = false
  let unreadable = 0

  const follow = ({ seq, hash, time, host }: LedgerRecord, { key, n, prev }: WriterLink) => {
    const name = knownKeys.get(key)
    const before = writers.get(key)
    const last = before ?? { n: 0, hash: genesis, unreadable: 0, records: 0, first: time }
    // Records that cannot be read any more have findings of their own.
    const lost = unreadable - last.unreadable
    if (n > last.n + 1 + lost) findings.push({ code: 'writer-gap', seq, key, from: last.n + 1, to: n - 1 })
    else if (n <= last.n) findings.push({ code: 'writer-fork', seq, key, n })
    else if (n === last.n + 1 && prev !== last.hash) findings.push({ code: 'writer-fork', seq, key, n: last.n })
    const { first, records } = last
    const writer = { key, ...(name === undefined ? {} : { name }), host, records: records + 1, first, last: time }
    writers.set(key, { ...writer, n: Math.max(n, last.n), hash, unreadable })
  }

  return {
    unreadable: (places: number) => {
      unreadable += places
    },
    see(record: LedgerRecord): void {
      const { seq, writer, ledger } = record
      const state = signatureState(record)
      if (state === 'wrong') {
        counts.wrong++
        findings.push({ code: 'wrong-signature', seq })
        return
      }
      if (writer === undefined) {
        if (signingBegan) findings.push({ code: 'unsigned', seq })
        else counts.unsigned++
        return
      }
      const isKnown = knownKeys.has(writer.key)
      if (isKnown) counts.known++
      else counts.unknown++
      if (!isKnown && knownKeys.size > 0) {
        const finding = unknown.get(writer.key)
        unknown.set(writer.key, { code: 'unknown-key', seq, key: writer.key, ...finding, records: (finding?.records ?? 0) + 1 })
      }
      signingBegan ||= isKnown || knownKeys.size === 0
      if (id !== undefined && ledger !== id) findings.push({ code: 'other-ledger', seq, ledger: ledger ?? '' })
      follow(record, writer)
      for (const [other, head] of Object.entries(record.seen)) {
        const heads = seen.get(other) ?? new Map<string, LedgerHead>()
        seen.set(other, heads.set(head.hash, head))
      }
    },
    result() {
      return {
        signatures: counts satisfies SignatureCounts,
        writers: [...writers.values()].map(({ n: _n, hash: _hash, unreadable: _unreadable, ...writer }): LedgerWriter => writer),
        findings: [...findings, ...unknown.values()],
        seen: new Map([...seen].map(([ledger, heads]) => [ledger, [...heads.values()]])),
      }
    },
  }
}

type Mutable<Value> = { -readonly [Member in keyof Value]: Value[Member] }
