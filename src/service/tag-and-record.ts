import { tagSnapshots, type Retagged, type TagJob } from '../backup/index.ts'
import { carryRecords } from './copy/carry-records.ts'
import type { EvidenceContext } from './record-evidence.ts'

/** Gives snapshots other tags, and what the ledger says of each to the one that replaces it, before the old one goes. */
export async function tagAndRecord(
  job: TagJob,
  name: string,
  context: EvidenceContext,
  signal: AbortSignal,
): Promise<Retagged[]> {
  const { repository } = job
  const carry = async ({ before, after }: Retagged) => {
    const snapshots = new Map([[before.id, after.id]])
    await carryRecords({ from: repository, to: repository, names: { from: name, to: name }, snapshots }, context, signal)
  }
  return tagSnapshots(job, carry, signal)
}
