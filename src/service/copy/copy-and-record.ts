import { copySnapshots, type CopyJob, type CopyProgress, type CopySummary } from '../../backup/index.ts'
import type { EvidenceRecord } from '../../ledger/index.ts'
import { openRepositoryLedger, recordEvidence, type EvidenceContext } from '../record-evidence.ts'

export interface CopyNames {
  /** For the record: names in the catalog, or locations. */
  readonly from: string
  readonly to: string
}

/**
 * Copies snapshots, and what the source's ledger says of the backups they are from: what was left out of a snapshot is left out of its
 * copies too. A snapshot of which the source has no record, such as one of restic's, gets none.
 */
export async function copyAndRecord(
  job: CopyJob,
  names: CopyNames,
  context: EvidenceContext,
  progress: (event: CopyProgress) => void,
  signal: AbortSignal,
): Promise<CopySummary> {
  const summary = await copySnapshots(job, progress, signal)
  const wanted = new Map(
    summary.copied.flatMap(({ snapshot, source }) => (snapshot === undefined ? [] : [[source.id, snapshot]])),
  )
  if (wanted.size === 0) return summary
  const ledger = openRepositoryLedger(job.from, context.catalogPath)
  const records: EvidenceRecord<'backup'>[] = []
  // What is damaged of it says nothing; it is for `ledger verify` to tell.
  for await (const record of ledger.records({ kinds: ['backup'], onDamage: () => {} }, signal))
    if (record.kind === 'backup' && wanted.has(record.body.snapshot)) records.push(record)
  for (const { service, body } of records) {
    const { snapshot } = body
    const copy = { ...body, repository: names.to, snapshot: wanted.get(snapshot) ?? '' }
    const about = { ...context, ...(service !== undefined && { service }) }
    await recordEvidence(job.to, 'backup', { ...copy, copiedFrom: { repository: names.from, snapshot } }, about, signal)
  }
  return summary
}
