import { createHash } from 'node:crypto'
import { canonicalJson } from '../kernel/index.ts'
import type { Ledger } from './ledger.ts'
import type { RecordDamage } from './read.ts'
import type { Signer } from './signing-key.ts'

export interface ExportedLedger {
  readonly id: string
  /** Its repository's name in the catalog, or its location. */
  readonly repository: string
  readonly ledger: Pick<Ledger, 'records'>
}

export interface ExportQuestion {
  readonly ledgers: readonly ExportedLedger[]
  /** Public keys by name: for whoever reads it. A verifier takes them from elsewhere. */
  readonly keys: Readonly<Record<string, string>>
  readonly signer: Signer
  readonly time: Date
}

/** What an export came to. */
export interface ExportSummary {
  readonly records: number
  readonly damaged: number
}

/**
 * The lines of an export (docs/formats/ledger-export.md), each with its line feed: a header, every record as it is stored, and an end that is
 * signed and says how much there was, so that nothing can be taken away from it. Returns what it came to.
 */
export async function* exportLedgers(
  { ledgers, keys, signer, time }: ExportQuestion,
  signal?: AbortSignal,
): AsyncGenerator<string, ExportSummary> {
  const digest = createHash('sha256')
  let lines = 0
  const noted = (text: string) => {
    const line = `${text}\n`
    digest.update(line)
    lines++
    return line
  }
  const named = ledgers.map(({ id, repository }) => ({ id, repository }))
  yield noted(canonicalJson({ format: 'holdfast-ledger-export', version: 1, time: time.toISOString(), keys, ledgers: named }))
  const counts: Record<string, number> = {}
  let damaged = 0
  for (const { id, ledger } of ledgers) {
    let count = 0
    let places: { seq: number; damage: RecordDamage }[] = []
    const damagedLines = () => {
      const found = places.map(({ seq, damage }) => noted(canonicalJson({ ledger: id, damaged: seq, damage })))
      damaged += places.length
      count += places.length
      places = []
      return found
    }
    for await (const { canonical } of ledger.records({ untrusted: 'include', onDamage: (place) => places.push(place) }, signal)) {
      yield* damagedLines()
      count++
      yield noted(`{"ledger":${JSON.stringify(id)},"record":${canonical}}`)
    }
    yield* damagedLines()
    counts[id] = count
  }
  const end = { lines, records: counts, sha256: digest.digest('hex'), time: time.toISOString() }
  const signature = signer.sign(`holdfast-ledger-export\n${canonicalJson(end)}`)
  yield `${canonicalJson({ end, key: signer.key, signature })}\n`
  return { records: Object.values(counts).reduce((sum, count) => sum + count, 0) - damaged, damaged }
}
