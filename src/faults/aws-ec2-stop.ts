import { z } from 'zod'
import { awsParams, regionName, type AwsTarget } from '../aws/index.ts'
import { text } from '../catalog/index.ts'
import { HoldfastError } from '../kernel/index.ts'
import { awsByHand } from './aws/cli.ts'
import { openInstances, requireUntouched, type FoundInstance, type Instances } from './aws/instances.ts'
import { faultTag } from './aws/tag.ts'
import { choice, choose, type Choice } from './choose.ts'
import { absent, partly, present, type TraceContext } from './contract.ts'
import { defineFault } from './define-fault.ts'
import { readNote, removeNote, writeNote } from './note.ts'

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

/** When they were told to stop. It is gone once all are started and have no tag any more. */
const note = z.strictObject({ at: z.iso.datetime() })

const pollMs = 1000
/** How long what EC2 has shown once may be missing from a later answer: its reads are eventually consistent, in practice within seconds. */
const settleMs = 30_000
const tagsHidden = `not all instances show the tag ${faultTag}: what EC2 says lags behind, or somebody has removed it`

/** Virtual machines are shut down. */
export const awsEc2Stop = defineFault<Params, Traces>({
  kind: 'aws.ec2-stop',
  description:
    'Stops instances of EC2, chosen at random among those that run and have some tags, and starts them again. Those that it stops get the tag holdfast:fault with the number of the injection, and only those that have it are started; as it may take EC2 some seconds to show it everywhere, they are stopped once it shows, and one without it counts as taken over by somebody only 30 s later. It counts as injected once they are stopped, which may take minutes. What an instance keeps in memory or on instance storage is lost; in an Auto Scaling group it is replaced instead. It needs ec2:DescribeInstances, StopInstances, StartInstances, CreateTags and DeleteTags.',
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
    const all = async () => await allOf(ec2, instances)
    const until = async (isSo: (instance: FoundInstance) => boolean) => {
      while (!(await all()).every(isSo)) await context.clock.sleep(pollMs, signal)
    }
    for (const instance of await all()) requireUntouched(instance)
    await ec2.tag(instances, context.id)
    // Not before: an undo knows by the tags what it may start.
    await until(isOurs(context))
    await writeNote(context, { at: context.clock.now().toISOString() })
    await ec2.stop(instances)
    await until(({ state }) => state === 'stopped')
  },

  async look({ instances, ...target }, context, signal) {
    using ec2 = await openInstances(target, context, signal)
    const order = await readNote(context, note)
    const found = (await ec2.byId(instances)).filter(isOurs(context))
    if (found.length === 0) return maySettle(order, context) ? { state: 'unknown', because: tagsHidden } : absent
    if (order === undefined) return partly('there are tags, and nothing was told to stop')
    const up = found.find(({ state }) => state !== 'stopped')
    if (up !== undefined) return partly(`${up.id} is ${up.state}`)
    return found.length === instances.length ? present : partly('some of the instances are not ours any more')
  },

  async undo({ instances, ...target }, context, signal) {
    using ec2 = await openInstances(target, context, signal)
    const order = await readNote(context, note)
    const found = await ec2.byId(instances)
    if (order !== undefined) {
      const shown = found.filter(isOurs(context))
      await startAgain(ec2, shown)
      if (shown.length < found.length && maySettle(order, context))
        throw new HoldfastError('command-failed', { message: tagsHidden, retryable: true })
    }
    await ec2.untag(
      found.map(({ id }) => id),
      context.id,
    )
    if (order !== undefined) await removeNote(context)
  },

  manualUndo: ({ instances, ...target }, id) => [
    awsByHand(target, 'ec2', 'start-instances', '--instance-ids', ...instances),
    awsByHand(target, 'ec2', 'delete-tags', '--resources', ...instances, '--tags', `Key=${faultTag},Value=${id}`),
  ],
})

/** Throws `fault-failed` when one of them has been terminated. */
async function allOf(ec2: Instances, ids: readonly string[]): Promise<FoundInstance[]> {
  const found = await ec2.byId(ids)
  const gone = ids.find((id) => !found.some((instance) => instance.id === id))
  if (gone !== undefined) throw new HoldfastError('fault-failed', { message: `${gone} is gone` })
  return found
}

/** Also those that seem to run: what EC2 says lags behind what it was told. One that is stopping is refused, and tried again. */
async function startAgain(ec2: Instances, stopped: readonly FoundInstance[]): Promise<void> {
  if (stopped.length === 0) return
  const ids = stopped.map(({ id }) => id)
  await ec2.start(ids)
  const down = (await ec2.byId(ids)).find(({ state }) => state !== 'running' && state !== 'pending')
  if (down === undefined) return
  const message = `${down.id} is ${down.state}, and was told to start`
  throw new HoldfastError('command-failed', { message, retryable: true })
}

/** Whether an instance shows the tag of this injection. */
function isOurs({ id }: TraceContext): (instance: FoundInstance) => boolean {
  return ({ tags }) => tags[faultTag] === id
}

/** Whether a tag that does not show may only not show yet again: reads of EC2 are not in order. Later, somebody has removed it. */
function maySettle(order: z.infer<typeof note> | undefined, { clock }: TraceContext): boolean {
  return order !== undefined && Math.abs(clock.now().getTime() - Date.parse(order.at)) < settleMs
}
