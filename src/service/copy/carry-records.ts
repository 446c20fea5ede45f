import type { EvidenceRecord } from '../../ledger/index.ts'
import type { Repository } from '../../repository/index.ts'
import { catalogIn, openRepositoryLedger, recordEvidence, type EvidenceContext } from '../record-evidence.ts'

export interface CarriedRecords {
  readonly from: Repository
  readonly to: Repository
  /** For the record: names in the catalog, or locations. */
  readonly names: { readonly from: string; readonly to: string }
  /** New snapshots by those that they were made from. */
  readonly snapshots: ReadonlyMap<string, string>
}

/**
 * Records of a new snapshot what the ledger says of the backup that the one before it came from: what was left out of that is left out of
 * this one, too. A snapshot without a record, such as one of restic's, gets none.
 */
export async function carryRecords(
  { from, to, names, snapshots }: CarriedRecords,
  context: EvidenceContext,
  signal: AbortSignal,
): Promise<void> {
  if (snapshots.size === 0) return
  const ledger = openRepositoryLedger(from, catalogIn(context))
  const records: EvidenceRecord<'backup'>[] = []
  // What is damaged of it, or by nobody whose evidence counts, says nothing and is not signed again; it is for `ledger verify` to tell.
  for await (const record of ledger.records({ kinds: ['backup'], onDamage: () => {} }, signal))
    if (record.kind === 'backup' && snapshots.has(record.body.snapshot)) records.push(record)
  for (const { service, body } of records) {
    const { snapshot } = body
    const copy = { ...body, repository: names.to, snapshot: snapshots.get(snapshot) ?? '' }
    const about = { ...context, ...(service !== undefined && { service }) }
    await recordEvidence(to, 'backup', { ...copy, copiedFrom: { repository: names.from, snapshot } }, about, signal)
  }
}
