import type { LedgerRef, ServiceEvidence } from './evidence.ts'
import { clockToleranceMs, type ObjectiveStatus } from './objective-status.ts'
import { recoverablePoints } from './recoverable-point.ts'
import { rpoStatus } from './rpo-status.ts'
import { rtoStatus } from './rto-status.ts'
import { worstVerdict, type Verdict } from './verdict.ts'

/** Something that is wrong whatever the verdict. */
export type StatusFinding =
  | { readonly code: 'future-dated'; readonly repository: string; readonly snapshot: string; readonly time: Date }
  | { readonly code: 'future-dated-record'; readonly record?: LedgerRef; readonly time: Date }
  /** WAL behind the gap is of no use: recovery ends before it. */
  | { readonly code: 'wal-gap'; readonly repository: string; readonly from: string; readonly to?: string }
  | { readonly code: 'unseen'; readonly repository: string; readonly because: string }

export interface ServiceStatus {
  readonly rpo: ObjectiveStatus
  readonly rto: ObjectiveStatus
  /** The worst of the declared ones; `unknown` when none is. */
  readonly verdict: Verdict
  readonly findings: readonly StatusFinding[]
  /** The newest moment that every part of the data can be brought back to. */
  readonly recoverableTo?: Date
}

export interface StatusQuestion {
  readonly objectives: { readonly rpoMs?: number | undefined; readonly rtoMs?: number | undefined }
  readonly evidence: ServiceEvidence
  readonly now: Date
}

/**
 * Whether a service could be recovered now within its objectives, from the evidence alone.
 *
 * RPO actual = now − the newest moment that all its data can be brought back to: the WAL archive's end where WAL is declared and reaches
 * on from a snapshot without a gap, else the newest snapshot. It is `measured` only when such data has been brought back and compared.
 * RTO actual = the last completed and checked run of today's plan; else restored bytes over the measured restore rate, which leaves out
 * everything but the restore, and says so by its basis.
 */
export function serviceStatus({ objectives, evidence, now }: StatusQuestion): ServiceStatus {
  const limit = now.getTime() + clockToleranceMs
  const known = (fact: { readonly time: Date }) => fact.time.getTime() <= limit
  const ways = evidence.data.map((data) => recoverablePoints(data, limit))
  const isBlind = evidence.unseen.length > 0
  const recoveries = evidence.recoveries.filter(known).toSorted((a, b) => b.time.getTime() - a.time.getTime())
  const rpo = seenOr(isBlind, rpoStatus(objectives.rpoMs, evidence.data, ways, now))
  const rto = rtoStatus(objectives.rtoMs, evidence, ways, recoveries, now)
  const newest = ways.map(({ points }) => Math.max(...points.map(({ time }) => time.getTime())))
  const recoverableTo = Math.min(...newest)
  return {
    rpo,
    rto,
    verdict: worstVerdict([rpo, rto].filter(({ declaredMs }) => declaredMs !== undefined).map(({ verdict }) => verdict)),
    findings: [
      ...evidence.data.flatMap(({ snapshots }) =>
        snapshots
          .filter((snapshot) => !known(snapshot))
          .map(({ repository, snapshot, time }) => ({ code: 'future-dated' as const, repository, snapshot, time })),
      ),
      ...[...evidence.recoveries, ...evidence.data.flatMap(({ restores }) => restores)]
        .filter((fact) => !known(fact))
        .map(({ record, time }) => ({ code: 'future-dated-record' as const, ...(record ? { record } : {}), time })),
      ...evidence.data.flatMap(({ wal }) =>
        wal.flatMap(({ repository, gap }) => (gap ? [{ code: 'wal-gap' as const, repository, ...gap }] : [])),
      ),
      ...evidence.unseen.map((unseen) => ({ code: 'unseen' as const, ...unseen })),
    ],
    ...(Number.isFinite(recoverableTo) ? { recoverableTo: new Date(recoverableTo) } : {}),
  }
}

/** Where a repository could not be looked into, that no backup was found does not mean that there is none. */
function seenOr(isBlind: boolean, status: ObjectiveStatus): ObjectiveStatus {
  return isBlind && status.because === 'no-snapshot' ? { ...status, because: 'repository-unseen' } : status
}
