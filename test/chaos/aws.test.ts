import { join } from 'node:path'
import { CreateTagsCommand, DeleteTagsCommand, DescribeTagsCommand } from '@aws-sdk/client-ec2'
import { beforeAll, expect, test } from 'vitest'
import { anyCredentials, leapingClock } from '../support/aws-actions.ts'
import { proxyTo } from '../support/aws-proxy.ts'
import { addInstances, awsClients, instanceStates } from '../support/aws-world.ts'
import { bound, chaosFolder, guardIn, never } from '../support/chaos.ts'
import { expectNothingLeft } from '../support/fault-crash.ts'
import { describeWithMoto } from '../support/describe-with-moto.ts'
import { undoByHand } from '../support/undo-by-hand.ts'

const region = 'us-west-2'
const tag = 'holdfast:fault'

describeWithMoto('stopped instances of EC2, against moto', (moto, environment) => {
  let aws: ReturnType<typeof awsClients>
  beforeAll(() => {
    aws = awsClients(moto.url)
  })

  /** Instances that run, with a tag of their own. */
  async function service(name: string, count: number): Promise<string[]> {
    const ids = await addInstances(aws, count, 'running')
    await aws.ec2.send(new CreateTagsCommand({ Resources: ids, Tags: [{ Key: 'service', Value: name }] }))
    return ids
  }
  const paramsOf = (name: string, more: object = {}) => ({
    region,
    tags: { service: name },
    endpoint: moto.url,
    credentials: anyCredentials,
    ...more,
  })
  async function tagged(): Promise<(string | undefined)[]> {
    const { Tags = [] } = await aws.ec2.send(new DescribeTagsCommand({ Filters: [{ Name: 'key', Values: [tag] }] }))
    return Tags.map(({ ResourceId }) => ResourceId)
  }

  test('half of those with a tag are stopped, and run again at the end', async () => {
    await using folder = await chaosFolder()
    await using guard = await guardIn(folder.path, { random: () => 0 })
    const shop = await service('shop', 4)
    const others = await service('others', 2)
    const fault = await guard.inject(bound('aws.ec2-stop', paramsOf('shop', { choose: { percent: 50 } })), 60_000, never)
    expect(fault.candidates).toBe(4)
    expect((await instanceStates(aws, shop)).filter((state) => state === 'stopped')).toHaveLength(2)
    expect(await instanceStates(aws, others)).toEqual(['running', 'running'])
    expect(await tagged()).toHaveLength(2)
    await fault.end()
    expect(await instanceStates(aws, shop)).toEqual(Array.from({ length: 4 }, () => 'running'))
    expect(await tagged()).toEqual([])
  })

  test('an instance whose tag somebody has removed stays as it is, and the others are started', async () => {
    await using folder = await chaosFolder()
    await using guard = await guardIn(folder.path, { clock: leapingClock().clock, cleanUpMs: 600_000 })
    const ids = await service('kept', 2)
    const fault = await guard.inject(bound('aws.ec2-stop', paramsOf('kept', { choose: 'all' })), 60_000, never)
    await aws.ec2.send(new DeleteTagsCommand({ Resources: ids.slice(0, 1), Tags: [{ Key: tag }] }))
    expect(await fault.look(never)).toMatchObject({ state: 'partly' })
    await fault.end()
    expect(await instanceStates(aws, ids)).toEqual(['stopped', 'running'])
  })

  test('as long as their tags do not show everywhere, nothing is stopped, and what was stopped counts as neither gone nor ended', async () => {
    await using folder = await chaosFolder()
    await using proxy = await proxyTo(moto.url)
    await using guard = await guardIn(folder.path, { clock: leapingClock().clock, cleanUpMs: 600_000 })
    const ids = await service('lagging', 2)
    // Answers of a moment before: what has not heard of the tags yet.
    let hidden = 0
    const said: string[] = []
    proxy.rules = {
      after({ name }, told) {
        if (name !== 'ec2 DescribeInstances') said.push(name)
        if (name !== 'ec2 DescribeInstances' || hidden === 0) return told
        said.push('hidden')
        hidden--
        return told.replaceAll(/<item>\s*<key>holdfast:fault<\/key>[\s\S]*?<\/item>/g, '')
      },
    }
    hidden = 5
    const lagging = bound('aws.ec2-stop', { ...paramsOf('lagging', { choose: 'all' }), endpoint: proxy.url })
    const fault = await guard.inject(lagging, 600_000, never)
    expect(said.filter((name) => !name.includes('DryRun')).slice(-3)).toEqual(['hidden', 'hidden', 'ec2 StopInstances'])
    expect(await instanceStates(aws, ids)).toEqual(['stopped', 'stopped'])

    hidden = 3
    expect(await fault.look(never)).toMatchObject({ state: 'unknown', because: expect.stringContaining('lags behind') as string })
    await fault.end()
    expect(hidden).toBe(0)
    expect(await instanceStates(aws, ids)).toEqual(['running', 'running'])
    expect(await tagged()).toEqual([])
  })

  test('what another fault has stopped, what does not run, and a region’s all are refused', async () => {
    await using folder = await chaosFolder()
    await using guard = await guardIn(folder.path)
    const ids = await service('taken', 1)
    await aws.ec2.send(new CreateTagsCommand({ Resources: ids, Tags: [{ Key: tag, Value: 'another' }] }))
    const refused = async (params: object) =>
      await expect(guard.inject(bound('aws.ec2-stop', params), 60_000, never)).rejects.toMatchObject({ code: 'fault-refused' })
    await refused(paramsOf('taken'))
    await refused(paramsOf('none'))
    expect(await instanceStates(aws, ids)).toEqual(['running'])
    expect(() => bound('aws.ec2-stop', { ...paramsOf('taken'), tags: {} })).toThrow('at least one tag')
    await aws.ec2.send(new DeleteTagsCommand({ Resources: ids, Tags: [{ Key: tag }] }))
  })

  test('the commands for people start them again', async () => {
    await using folder = await chaosFolder()
    const { clock } = leapingClock()
    await using guard = await guardIn(folder.path, { clock })
    const ids = await service('by-hand', 2)
    const fault = await guard.inject(bound('aws.ec2-stop', paramsOf('by-hand', { choose: 'all' })), 60_000, never)
    await undoByHand(folder.path, fault, join(environment, 'bin'))
    await clock.sleep(30_000)
    expect(await fault.look(never)).toEqual({ state: 'absent' })
    expect(await instanceStates(aws, ids)).toEqual(['running', 'running'])
  })

  test('an experiment that is killed leaves no instance stopped', { timeout: 600_000 }, async () => {
    const ids = await service('killed', 2)
    // Each loads the client three times, which takes seconds.
    const at = ['injecting', 'did-inject', 'did-end', 'hold'] as const
    await expectNothingLeft(
      'aws.ec2-stop',
      paramsOf('killed', { choose: 'all' }),
      async (after) => {
        expect(await instanceStates(aws, ids), after).toEqual(['running', 'running'])
        expect(await tagged(), after).toEqual([])
      },
      { at },
    )
  })
})
