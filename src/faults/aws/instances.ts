import type { Filter, Instance } from '@aws-sdk/client-ec2'
import { AwsSession, type AwsTarget } from '../../aws/index.ts'
import { HoldfastError, isHoldfastError } from '../../kernel/index.ts'
import type { TraceContext } from '../contract.ts'
import { faultTag } from './tag.ts'

/** An instance as EC2 describes it. */
export interface FoundInstance {
  readonly id: string
  /** pending, running, stopping, stopped, shutting-down or terminated. */
  readonly state: string
  readonly tags: Readonly<Record<string, string>>
}

export interface Instances extends Disposable {
  withTags(tags: Readonly<Record<string, string>>): Promise<FoundInstance[]>
  /** Those of them that still exist. */
  byId(ids: readonly string[]): Promise<FoundInstance[]>
  stop(ids: readonly string[]): Promise<void>
  start(ids: readonly string[]): Promise<void>
  tag(ids: readonly string[], value: string): Promise<void>
  /** Takes the tag from those where it has that value. */
  untag(ids: readonly string[], value: string): Promise<void>
  /** Throws `permission-denied` when stopping or starting would not be allowed; changes nothing. */
  requireRights(ids: readonly string[]): Promise<void>
}

/** EC2 in a region. The SDK is loaded here, for nothing else needs it. */
export async function openInstances(target: AwsTarget, context: TraceContext, signal: AbortSignal): Promise<Instances> {
  const session = new AwsSession(target, context, signal)
  const sdk = await import('@aws-sdk/client-ec2')
  const client = new sdk.EC2Client(await session.clientOptions())
  const describe = async (filters: Filter[]): Promise<FoundInstance[]> => {
    const found: Instance[] = []
    for (let NextToken: string | undefined; ;) {
      const command = new sdk.DescribeInstancesCommand({ Filters: filters, ...(NextToken === undefined ? {} : { NextToken }) })
      const page = await session.call('ec2:DescribeInstances', (options) => client.send(command, options))
      found.push(...(page.Reservations ?? []).flatMap(({ Instances = [] }) => Instances))
      NextToken = page.NextToken
      if (NextToken === undefined)
        return found.map(inBrief).filter(({ state }) => state !== 'terminated' && state !== 'shutting-down')
    }
  }
  const power = async (operation: 'start' | 'stop', ids: readonly string[], DryRun: boolean) => {
    const input = { InstanceIds: [...ids], DryRun }
    if (operation === 'start')
      await session.call('ec2:StartInstances', (options) => client.send(new sdk.StartInstancesCommand(input), options))
    else await session.call('ec2:StopInstances', (options) => client.send(new sdk.StopInstancesCommand(input), options))
  }
  return {
    withTags: (tags) => describe(Object.entries(tags).map(([name, value]) => ({ Name: `tag:${name}`, Values: [value] }))),
    // A filter, for an id that is gone makes the request fail otherwise.
    byId: (ids) => describe([{ Name: 'instance-id', Values: [...ids] }]),
    stop: (ids) => power('stop', ids, false),
    start: (ids) => power('start', ids, false),
    async tag(ids, value) {
      const command = new sdk.CreateTagsCommand({ Resources: [...ids], Tags: [{ Key: faultTag, Value: value }] })
      await session.call('ec2:CreateTags', (options) => client.send(command, options))
    },
    async untag(ids, value) {
      if (ids.length === 0) return
      const command = new sdk.DeleteTagsCommand({ Resources: [...ids], Tags: [{ Key: faultTag, Value: value }] })
      await session.call('ec2:DeleteTags', (options) => client.send(command, options))
    },
    async requireRights(ids) {
      for (const operation of ['stop', 'start'] as const) {
        try {
          await power(operation, ids, true)
        } catch (error) {
          // So EC2 says that it would have done it.
          if (!isHoldfastError(error) || error.details.aws !== 'DryRunOperation') throw error
        }
      }
    },
    [Symbol.dispose]: () => client.destroy(),
  }
}

/** Throws `fault-refused`. */
export function requireUntouched({ id, state, tags }: FoundInstance): void {
  const other = tags[faultTag]
  if (other !== undefined)
    throw new HoldfastError('fault-refused', { message: `${id} is stopped by another fault already: ${other}` })
  if (state !== 'running') throw new HoldfastError('fault-refused', { message: `${id} is ${state}, and not running` })
}

function inBrief({ InstanceId = '', State, Tags = [] }: Instance): FoundInstance {
  return {
    id: InstanceId,
    state: State?.Name ?? 'unknown',
    tags: Object.fromEntries(Tags.map(({ Key = '', Value = '' }) => [Key, Value])),
  }
}
