import { checkRepository, type CheckProgress, type CheckReport } from '../backup/index.ts'
import type { EvidenceBody } from '../ledger/index.ts'
import type { Repository } from '../repository/index.ts'
import { recordEvidence, type EvidenceContext } from './record-evidence.ts'

export interface CheckJob {
  readonly repository: Repository
  /** For the record: its name in the catalog, or its location. */
  readonly name: string
  readonly readData: boolean
}

/** Checks a repository and puts the result on record there, whatever it is. */
export async function checkAndRecord(
  { repository, name, readData }: CheckJob,
  context: EvidenceContext,
  progress: (event: CheckProgress) => void,
  signal: AbortSignal,
): Promise<CheckReport> {
  const report = await checkRepository({ repository, readData }, progress, signal)
  await recordEvidence(repository, 'check', checkEvidence(report, name), context, signal)
  return report
}

function checkEvidence({ depth, snapshots, packs, blobs, readBytes, durationMs, findings }: CheckReport, repository: string) {
  const counts = new Map<string, number>()
  // Notes harm nothing: they must not turn a good check into a bad one.
  for (const { severity, code } of findings) if (severity === 'error') counts.set(code, (counts.get(code) ?? 0) + 1)
  const body: EvidenceBody<'check'> = {
    repository,
    depth,
    snapshots,
    packs,
    blobs,
    readBytes,
    durationMs,
    findings: [...counts].map(([code, count]) => ({ code, count })),
  }
  return body
}
