import { z } from 'zod'
import { awsParams, regionName, type AwsTarget } from '../aws/index.ts'
import { text } from '../catalog/index.ts'
import { HoldfastError, quote } from '../kernel/index.ts'
import { faultTag, openInstances, requireUntouched, type FoundInstance, type Instances } from './aws/instances.ts'
import { choice, choose, type Choice } from './choose.ts'
import { absent, partly, present, type TraceContext } from './contract.ts'
import { defineFault } from './define-fault.ts'

const target = { region: regionName, ...awsParams }

const params = z.strictObject({
  ...target,
  tags: z
    .record(text, z.string())
    .refine((tags) => Object.keys(tags).length > 0, { message: 'at least one tag: all instances of the region are too many' })
    .describe('Which instances: those that run and have all of these tags.'),
  choose: choice.describe('How many of those are stopped.').default('one'),
})

type Params = AwsTarget & { readonly tags: Readonly<Record<string, string>>; readonly choose: Choice }

const traces = z.strictObject({ ...target, instances: z.array(z.string()) })
type Traces = z.infer<typeof traces>

const pollMs = 1000

/** Virtual machines are shut down. */
export const awsEc2Stop = defineFault<Params, Traces>({
  kind: 'aws.ec2-stop',
  description:
    'Stops instances of EC2, chosen at random among those that run and have some tags, and starts them again. Those that it stops get the tag holdfast:fault with the number of the injection, and only those that have it are started. It counts as injected once they are stopped, which may take minutes. What an instance keeps in memory or on instance storage is lost; in an Auto Scaling group it is replaced instead. It needs ec2:DescribeInstances, StopInstances, StartInstances, CreateTags and DeleteTags.',
  example: { region: 'eu-central-1', tags: { service: 'shop', stage: 'staging' }, choose: { percent: 30 } },
  params,
  traces,
  expiry: 'never',

  async preflight({ tags, choose: _choose, ...target }, context, signal) {
    using ec2 = await openInstances(target, context, signal)
    const running = (await ec2.withTags(tags)).filter(({ state }) => state === 'running')
    if (running.length > 0) await ec2.requireRights(running.map(({ id }) => id))
    return []
  },

  async plan({ tags, choose: how, ...target }, context, signal) {
    using ec2 = await openInstances(target, context, signal)
    const running = (await ec2.withTags(tags)).filter(({ state }) => state === 'running')
    const chosen = choose(running, how, () => context.random())
    for (const instance of chosen) requireUntouched(instance)
    const instances = chosen.map(({ id }) => id)
    return {
      targets: instances.map((id) => `instance ${id} in ${target.region}`),
      candidates: running.length,
      traces: { ...target, instances },
    }
  },

  async inject(_params, { instances, ...target }, context, signal) {
    using ec2 = await openInstances(target, context, signal)
    for (const instance of await ec2.byId(instances)) requireUntouched(instance)
    await ec2.tag(instances, context.id)
    await ec2.stop(instances)
    while ((await ours(ec2, instances, context)).some(({ state }) => state !== 'stopped'))
      await context.clock.sleep(pollMs, signal)
  },

  async look({ instances, ...target }, context, signal) {
    using ec2 = await openInstances(target, context, signal)
    const found = await ours(ec2, instances, context)
    if (found.length === 0) return absent
    const up = found.find(({ state }) => state !== 'stopped')
    if (up !== undefined) return partly(`${up.id} is ${up.state}`)
    return found.length === instances.length ? present : partly('some of the instances are not ours any more')
  },

  async undo({ instances, ...target }, context, signal) {
    using ec2 = await openInstances(target, context, signal)
    const found = await ours(ec2, instances, context)
    if (found.length === 0) return
    const ids = found.map(({ id }) => id)
    // Also those that seem to run: what EC2 says lags behind what it was told. One that is stopping is refused, and tried again.
    await ec2.start(ids)
    const down = (await ec2.byId(ids)).find(({ state }) => state !== 'running' && state !== 'pending')
    if (down !== undefined)
      throw new HoldfastError('command-failed', {
        message: `${down.id} is ${down.state}, and was told to start`,
        retryable: true,
      })
    await ec2.untag(ids)
  },

  manualUndo({ instances, region, endpoint }) {
    const aws = (words: readonly string[]) =>
      ['aws', 'ec2', ...words, '--region', region, ...(endpoint === undefined ? [] : ['--endpoint-url', endpoint])]
        .map(quote)
        .join(' ')
    return [
      aws(['start-instances', '--instance-ids', ...instances]),
      aws(['delete-tags', '--resources', ...instances, '--tags', `Key=${faultTag}`]),
    ]
  },
})

/** Those of the plan that carry the tag of this injection. */
async function ours(ec2: Instances, ids: readonly string[], { id }: TraceContext): Promise<FoundInstance[]> {
  return (await ec2.byId(ids)).filter(({ tags }) => tags[faultTag] === id)
}
