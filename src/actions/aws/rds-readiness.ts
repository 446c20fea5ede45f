import type { AwsTarget } from '../../aws/index.ts'
import { blocker, formatDuration, isHoldfastError, parseDuration } from '../../kernel/index.ts'
import type { ActionContext, Finding } from '../contract.ts'
import { outputReference } from '../param-types.ts'
import { readReplicaLag } from './rds-lag.ts'
import type { DatabaseState } from './rds-replica.ts'

/** What is to be promoted, and under which conditions. */
export interface Promotion extends AwsTarget {
  readonly replica: string
  readonly source?: string | undefined
  readonly maxLag: string
  readonly lagMaxAge: string
  readonly acceptUnknownLag: boolean
  readonly backupRetentionDays?: number | undefined
}

/** It takes connections, and may be promoted or has been. AWS promotes from `available` only. */
export const usable: ReadonlySet<string> = new Set(['available', 'backing-up', 'storage-optimization'])

/** Why it cannot be promoted. */
export function problemOf({ replica, region, source }: Promotion, state: DatabaseState | undefined): Finding | undefined {
  if (state === undefined)
    return blocker(
      'replica-missing',
      `there is no database instance ${replica} in ${region}`,
      'check its identifier and the region',
    )
  if (state.auroraCluster !== undefined && state.source === undefined)
    return blocker(
      'aurora-member',
      `${replica} belongs to the Aurora cluster ${state.auroraCluster}, and is not promoted by itself`,
      'fail the cluster over: `aws rds failover-db-cluster`, or for a global one `aws rds failover-global-cluster`',
    )
  if (state.source === undefined)
    return blocker('not-a-replica', `${replica} is not a read replica: it may have been promoted already`)
  if (source !== undefined && !outputReference.test(source) && source !== state.source)
    return blocker('other-source', `${replica} is a replica of ${state.source}, and not of ${source}`)
  if (state.status !== 'available')
    return blocker(
      'replica-not-available',
      `${replica} is ${state.status}: AWS promotes what is available`,
      'wait until it is, or start it',
    )
  return undefined
}

export function stateWarnings({ replica, backupRetentionDays }: Promotion, state: DatabaseState): Finding[] {
  const findings: Finding[] = []
  const warn = (code: string, message: string, hint: string) => findings.push({ severity: 'warning', code, message, hint })
  if (backupRetentionDays === 0 || (backupRetentionDays === undefined && state.backupRetentionDays === 0)) {
    warn(
      'no-backups-after',
      backupRetentionDays === 0
        ? `${replica} will have no automated backups when it is promoted`
        : `${replica} has no automated backups, and AWS will keep those of the promoted database for one day only`,
      "set 'backupRetentionDays'",
    )
  }
  if (state.replicationProblem !== undefined) {
    warn(
      'replication-problem',
      `replication to ${replica} is not well: ${state.replicationProblem}`,
      'what the source has since is lost',
    )
  }
  return findings
}

/** Unknown lag is refused: replication that stopped long ago looks the same as one that is complete. */
export async function lagFindings(p: Promotion, context: ActionContext, signal: AbortSignal): Promise<Finding[]> {
  const unknownLag = (because: string): Finding[] => [
    {
      severity: p.acceptUnknownLag ? 'warning' : 'blocker',
      code: 'lag-unknown',
      message: `nobody knows how far ${p.replica} is behind: ${because}`,
      hint: p.acceptUnknownLag
        ? "what the source has since is lost; 'acceptUnknownLag' accepts that"
        : "find out, or accept it with 'acceptUnknownLag: true'",
    },
  ]
  let lag: Awaited<ReturnType<typeof readReplicaLag>>
  try {
    lag = await readReplicaLag(p, p.replica, context, signal)
  } catch (error) {
    signal.throwIfAborted()
    if (!isHoldfastError(error)) throw error
    return unknownLag(`CloudWatch cannot be read: ${error.message}`)
  }
  if (lag === undefined) return unknownLag('CloudWatch has no figure of the last three hours')
  const ageMs = Math.max(0, context.clock.now().getTime() - lag.at.getTime())
  const figure = `${formatDuration(lag.seconds * 1000)}, ${formatDuration(ageMs)} ago`
  if (ageMs > parseDuration(p.lagMaxAge)) return unknownLag(`the last figure is too old (${figure})`)
  if (lag.seconds * 1000 <= parseDuration(p.maxLag)) return []
  return [
    blocker(
      'lag-too-large',
      `${p.replica} was ${figure}, behind its source: more than ${p.maxLag}`,
      "that much would be lost; wait until it has caught up, or accept it with a larger 'maxLag'",
    ),
  ]
}
