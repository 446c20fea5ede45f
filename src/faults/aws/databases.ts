import { AwsSession, isRefusal, orMissing, type AwsTarget } from '../../aws/index.ts'
import { isHoldfastError } from '../../kernel/index.ts'
import type { TraceContext } from '../contract.ts'

/** A database of RDS with a standby in another zone. */
export interface FoundInstance {
  /** AWS's own identity of it, which a replacement of the same name does not have. */
  readonly resourceId: string
  /** `available`, `rebooting`, … */
  readonly status: string
  readonly isMultiAz: boolean
  /** Where its primary is. */
  readonly zone: string
  /** Aurora's members fail over by their cluster. */
  readonly cluster: string | undefined
}

export interface FoundCluster {
  readonly resourceId: string
  readonly status: string
  readonly writer: string | undefined
  readonly readers: readonly string[]
}

export interface Databases extends Disposable {
  /** Undefined when there is none of that name. */
  instance(name: string): Promise<FoundInstance | undefined>
  cluster(name: string): Promise<FoundCluster | undefined>
  /** Tells it once. Throws when AWS refuses; what became of an order without an answer, the real state tells. */
  failInstanceOver(name: string): Promise<void>
  failClusterOver(name: string, to: string | undefined): Promise<void>
}

/** RDS in a region. The SDK is loaded here, for nothing else needs it. */
export async function openDatabases(target: AwsTarget, context: TraceContext, signal: AbortSignal): Promise<Databases> {
  const session = new AwsSession(target, context, signal)
  const sdk = await import('@aws-sdk/client-rds')
  const options = await session.clientOptions()
  const client = new sdk.RDSClient(options)
  const ordering = new sdk.RDSClient({ ...options, maxAttempts: 1 })
  const order = async (act: Promise<unknown>): Promise<void> => {
    await act.catch((error: unknown) => {
      signal.throwIfAborted()
      if (isRefusal(error) || !isHoldfastError(error)) throw error
    })
  }
  return {
    async instance(name) {
      const command = new sdk.DescribeDBInstancesCommand({ DBInstanceIdentifier: name })
      const answer = await orMissing(session.call('rds:DescribeDBInstances', (how) => client.send(command, how)))
      const found = answer?.DBInstances?.[0]
      return (
        found && {
          resourceId: found.DbiResourceId ?? '',
          status: found.DBInstanceStatus ?? 'unknown',
          isMultiAz: found.MultiAZ === true,
          zone: found.AvailabilityZone ?? '',
          cluster: found.DBClusterIdentifier === '' ? undefined : found.DBClusterIdentifier,
        }
      )
    },
    async cluster(name) {
      const command = new sdk.DescribeDBClustersCommand({ DBClusterIdentifier: name })
      const answer = await orMissing(session.call('rds:DescribeDBClusters', (how) => client.send(command, how)))
      const found = answer?.DBClusters?.[0]
      const members = found?.DBClusterMembers ?? []
      const named = (isWriter: boolean) =>
        members.flatMap((member) => (member.IsClusterWriter === isWriter ? [member.DBInstanceIdentifier ?? ''] : []))
      return (
        found && {
          resourceId: found.DbClusterResourceId ?? '',
          status: found.Status ?? 'unknown',
          writer: named(true)[0],
          readers: named(false),
        }
      )
    },
    failInstanceOver(name) {
      const command = new sdk.RebootDBInstanceCommand({ DBInstanceIdentifier: name, ForceFailover: true })
      return order(session.call('rds:RebootDBInstance', (how) => ordering.send(command, how)))
    },
    failClusterOver(name, to) {
      const whereTo = to === undefined ? {} : { TargetDBInstanceIdentifier: to }
      const command = new sdk.FailoverDBClusterCommand({ DBClusterIdentifier: name, ...whereTo })
      return order(session.call('rds:FailoverDBCluster', (how) => ordering.send(command, how)))
    },
    [Symbol.dispose]() {
      client.destroy()
      ordering.destroy()
    },
  }
}
