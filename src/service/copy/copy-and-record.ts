import { copySnapshots, type CopyJob, type CopyProgress, type CopySummary } from '../../backup/index.ts'
import type { EvidenceContext } from '../record-evidence.ts'
import { carryRecords, type CarriedRecords } from './carry-records.ts'

/** Copies snapshots, and what the source's ledger says of the backups that they are from. */
export async function copyAndRecord(
  job: CopyJob,
  names: CarriedRecords['names'],
  context: EvidenceContext,
  progress: (event: CopyProgress) => void,
  signal: AbortSignal,
): Promise<CopySummary> {
  const summary = await copySnapshots(job, progress, signal)
  const snapshots = new Map(
    summary.copied.flatMap(({ snapshot, source }) => (snapshot === undefined ? [] : [[source.id, snapshot] as const])),
  )
  await carryRecords({ ...job, names, snapshots }, context, signal)
  return summary
}
