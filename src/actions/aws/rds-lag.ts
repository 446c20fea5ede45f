import { AwsSession, type AwsTarget } from '../../aws/index.ts'
import type { ActionContext } from '../contract.ts'

/** A replica's lag as CloudWatch last knew it. */
export interface ReplicaLag {
  readonly seconds: number
  readonly at: Date
}

const lookBackMs = 3 * 3_600_000
const periodSeconds = 60

/**
 * The newest figure of RDS's ReplicaLag within three hours; undefined when there is none. RDS writes -1 while nothing is replicated: that
 * says nothing of how much is missing, so the last figure before counts.
 * Throws HoldfastErrors when CloudWatch cannot be read.
 */
export async function readReplicaLag(
  target: AwsTarget,
  replica: string,
  context: Pick<ActionContext, 'resolveSecret' | 'clock'>,
  signal: AbortSignal,
): Promise<ReplicaLag | undefined> {
  const session = new AwsSession(target, context, signal)
  const { CloudWatchClient, GetMetricStatisticsCommand } = await import('@aws-sdk/client-cloudwatch')
  const client = new CloudWatchClient(await session.clientOptions())
  const now = context.clock.now().getTime()
  try {
    const command = new GetMetricStatisticsCommand({
      Namespace: 'AWS/RDS',
      MetricName: 'ReplicaLag',
      Dimensions: [{ Name: 'DBInstanceIdentifier', Value: replica }],
      StartTime: new Date(now - lookBackMs),
      EndTime: new Date(now + periodSeconds * 1000),
      Period: periodSeconds,
      Statistics: ['Maximum'],
    })
    const { Datapoints = [] } = await session.call('cloudwatch:GetMetricStatistics', (how) => client.send(command, how))
    return Datapoints.flatMap(({ Maximum, Timestamp }) =>
      Maximum === undefined || Timestamp === undefined || Maximum < 0 ? [] : [{ seconds: Maximum, at: Timestamp }],
    ).toSorted((a, b) => b.at.getTime() - a.at.getTime())[0]
  } finally {
    client.destroy()
  }
}
