import type { Instance } from '@aws-sdk/client-ec2'
import { AwsSession, type AwsTarget } from '../../aws/index.ts'
import { HoldfastError, isHoldfastError } from '../../kernel/index.ts'
import type { ActionContext } from '../contract.ts'

export interface InstanceState {
  readonly id: string
  /** pending, running, stopping, stopped, shutting-down or terminated. */
  readonly state: string
  /** Why it came to be so, where EC2 says: `Client.VolumeLimitExceeded: …`. */
  readonly reason: string | undefined
  readonly privateIp: string | null
  readonly publicIp: string | null
}

export interface Ec2 extends Disposable {
  /** In the order asked for. Throws `not-found` when one does not exist. */
  states(ids: readonly string[]): Promise<InstanceState[]>
  start(ids: readonly string[]): Promise<void>
  stop(ids: readonly string[]): Promise<void>
  /** Throws `permission-denied` when it would not be allowed; changes nothing. */
  dryRun(operation: 'start' | 'stop', ids: readonly string[]): Promise<void>
}

/** EC2 in a region. The SDK is loaded here, for nothing else needs it. */
export async function openEc2(
  target: AwsTarget,
  context: Pick<ActionContext, 'resolveSecret'>,
  signal: AbortSignal,
): Promise<Ec2> {
  const session = new AwsSession(target, context, signal)
  const { EC2Client, DescribeInstancesCommand, StartInstancesCommand, StopInstancesCommand } = await import('@aws-sdk/client-ec2')
  const client = new EC2Client(await session.clientOptions())
  const send = (operation: 'start' | 'stop', ids: readonly string[], DryRun: boolean) => {
    const input = { InstanceIds: [...ids], DryRun }
    // Neither takes a client token: doing it again changes nothing.
    return operation === 'start'
      ? session.call('ec2:StartInstances', (options) => client.send(new StartInstancesCommand(input), options))
      : session.call('ec2:StopInstances', (options) => client.send(new StopInstancesCommand(input), options))
  }
  return {
    async states(ids) {
      const found = new Map<string, Instance>()
      for (let token: string | undefined; ;) {
        const page = await session.call('ec2:DescribeInstances', (options) =>
          client.send(
            new DescribeInstancesCommand({ InstanceIds: [...ids], ...(token === undefined ? {} : { NextToken: token }) }),
            options,
          ),
        )
        for (const instance of page.Reservations?.flatMap(({ Instances = [] }) => Instances) ?? []) {
          if (instance.InstanceId !== undefined) found.set(instance.InstanceId, instance)
        }
        token = page.NextToken
        if (token === undefined) break
      }
      return ids.map((id) => {
        const instance = found.get(id)
        if (instance !== undefined) return stateOf(id, instance)
        throw new HoldfastError('not-found', { message: `there is no instance ${id} in ${target.region}` })
      })
    },
    async start(ids) {
      await send('start', ids, false)
    },
    async stop(ids) {
      await send('stop', ids, false)
    },
    async dryRun(operation, ids) {
      try {
        await send(operation, ids, true)
      } catch (error) {
        // So EC2 says that it would have done it.
        if (!isHoldfastError(error) || error.details.aws !== 'DryRunOperation') throw error
      }
    },
    [Symbol.dispose]: () => client.destroy(),
  }
}

function stateOf(id: string, { State, StateReason, PrivateIpAddress, PublicIpAddress }: Instance): InstanceState {
  return {
    id,
    state: State?.Name ?? 'unknown',
    reason: StateReason?.Message,
    privateIp: PrivateIpAddress ?? null,
    publicIp: PublicIpAddress ?? null,
  }
}
