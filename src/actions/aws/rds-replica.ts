import type { DBInstance } from '@aws-sdk/client-rds'
import { AwsSession, orMissing, type AwsTarget } from '../../aws/index.ts'
import type { ActionContext } from '../contract.ts'

/** A database instance as far as a promotion needs to know it. */
export interface DatabaseState {
  readonly name: string
  /** AWS's own identity of it, which a replacement of the same name does not have. */
  readonly resourceId: string | null
  readonly status: string
  /** What it replicates, the instance or cluster; undefined for one that is no replica, or no longer. */
  readonly source: string | undefined
  /** Aurora's members are promoted by their cluster. */
  readonly auroraCluster: string | undefined
  readonly backupRetentionDays: number
  /** What RDS says of its replication when that is not well. */
  readonly replicationProblem: string | undefined
  readonly endpoint: { readonly address: string | null; readonly port: number | null }
}

export interface Rds extends Disposable {
  /** Undefined when there is none of that name. */
  find(name: string): Promise<DatabaseState | undefined>
  promote(name: string, backupRetentionDays: number | undefined): Promise<void>
}

/** RDS in a region. The SDK is loaded here, for nothing else needs it. */
export async function openRds(
  target: AwsTarget,
  context: Pick<ActionContext, 'resolveSecret'>,
  signal: AbortSignal,
): Promise<Rds> {
  const session = new AwsSession(target, context, signal)
  const { RDSClient, DescribeDBInstancesCommand, PromoteReadReplicaCommand } = await import('@aws-sdk/client-rds')
  const options = await session.clientOptions()
  const client = new RDSClient(options)
  // One request, no more: after a lost answer a second one would be refused, and the real state tells.
  const promoting = new RDSClient({ ...options, maxAttempts: 1 })
  return {
    async find(name) {
      const command = new DescribeDBInstancesCommand({ DBInstanceIdentifier: name })
      const found = await orMissing(session.call('rds:DescribeDBInstances', (how) => client.send(command, how)))
      return found?.DBInstances?.[0] === undefined ? undefined : stateOf(name, found.DBInstances[0])
    },
    async promote(name, backupRetentionDays) {
      const command = new PromoteReadReplicaCommand({
        DBInstanceIdentifier: name,
        ...(backupRetentionDays === undefined ? {} : { BackupRetentionPeriod: backupRetentionDays }),
      })
      await session.call('rds:PromoteReadReplica', (how) => promoting.send(command, how))
    },
    [Symbol.dispose]() {
      client.destroy()
      promoting.destroy()
    },
  }
}

function stateOf(name: string, found: DBInstance): DatabaseState {
  const replication = found.StatusInfos?.find(({ StatusType }) => StatusType === 'read replication')
  const isWell = replication?.Normal !== false
  return {
    name,
    resourceId: found.DbiResourceId ?? null,
    status: found.DBInstanceStatus ?? 'unknown',
    source: nonEmpty(found.ReadReplicaSourceDBInstanceIdentifier) ?? nonEmpty(found.ReadReplicaSourceDBClusterIdentifier),
    auroraCluster: nonEmpty(found.DBClusterIdentifier),
    backupRetentionDays: found.BackupRetentionPeriod ?? 0,
    replicationProblem: isWell ? undefined : [replication?.Status, replication?.Message].filter(Boolean).join(': '),
    endpoint: { address: found.Endpoint?.Address ?? null, port: found.Endpoint?.Port ?? null },
  }
}

function nonEmpty(text: string | undefined): string | undefined {
  return text === '' ? undefined : text
}
