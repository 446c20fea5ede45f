import { TerminateInstancesCommand } from '@aws-sdk/client-ec2'
import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test } from 'vitest'
import { systemClock } from '../../src/kernel/index.ts'
import { actionBench, anyCredentials, type ActionBench } from '../support/aws-actions.ts'
import { ec2Error, proxyTo, type AwsProxy } from '../support/aws-proxy.ts'
import { addInstances, awsClients, instanceStates } from '../support/aws-world.ts'
import { startMoto, type Moto } from '../support/moto.ts'
import { describeWith } from '../support/peers.ts'

let moto: Moto
let proxy: AwsProxy
let bench: ActionBench
let aws: ReturnType<typeof awsClients>
const region = 'us-west-2'

const power = (operation: 'start' | 'stop', instances: readonly string[], more: object = {}) =>
  bench.step(`aws.ec2.${operation}`, { region, instances, endpoint: proxy.url, credentials: anyCredentials, ...more })

describeWith('moto', 'aws.ec2.start and aws.ec2.stop against moto', (environment) => {
  beforeAll(async () => {
    moto = await startMoto(environment)
    proxy = await proxyTo(moto.url)
    bench = await actionBench()
    aws = awsClients(moto.url)
  })
  beforeEach(() => {
    proxy.rules = {}
    proxy.calls.length = 0
  })
  afterAll(async () => {
    await bench[Symbol.asyncDispose]()
    await proxy[Symbol.asyncDispose]()
    await moto[Symbol.asyncDispose]()
  })

  test('a start waits until the instances run, and its undo stops those that it started and no others', async () => {
    const [cold = '', warm = ''] = [...(await addInstances(aws, 1)), ...(await addInstances(aws, 1, 'running'))]
    const step = power('start', [cold, warm])
    expect(await step.preflight()).toEqual([])
    expect(await step.probe()).toEqual({ state: 'not-done' })
    expect(await step.run()).toMatchObject({
      instances: {
        [cold]: { state: 'running', privateIp: expect.stringMatching(/^\d+\./) as string },
        [warm]: { state: 'running' },
      },
      changed: [cold],
    })
    expect(await step.probe('interrupted')).toMatchObject({ state: 'done', output: { changed: [cold] } })
    await step.undo()
    await step.undo()
    expect(await instanceStates(aws, [cold, warm])).toEqual(['stopped', 'running'])
    const told = proxy.calls.filter(({ name }) => name === 'ec2 StopInstances').map(({ body }) => new URLSearchParams(body))
    expect(told.filter((form) => form.get('DryRun') !== 'true').map((form) => form.get('InstanceId.1'))).toEqual([cold])
  })

  test('a stop waits until the instances are stopped, and its undo starts those that it stopped and no others', async () => {
    const [warm = '', cold = ''] = [...(await addInstances(aws, 1, 'running')), ...(await addInstances(aws, 1))]
    const step = power('stop', [warm, cold])
    expect(await step.preflight()).toEqual([])
    expect(await step.run()).toMatchObject({ changed: [warm] })
    expect(await instanceStates(aws, [warm, cold])).toEqual(['stopped', 'stopped'])
    await step.undo()
    expect(await instanceStates(aws, [warm, cold])).toEqual(['running', 'stopped'])
  })

  test('an attempt that was interrupted is known by its note, and the next one finishes it without starting what runs', async () => {
    const [first = '', second = ''] = await addInstances(aws, 2)
    const step = power('start', [first, second])
    // Not moto: the answer to the start is lost, also to the SDK's own retries.
    proxy.rules = { before: ({ name }) => (name === 'ec2 StartInstances' ? 'drop' : undefined) }
    await expect(step.run()).rejects.toMatchObject({ code: 'command-failed', retryable: true })
    expect(await step.probe('interrupted')).toEqual({ state: 'not-done' })
    proxy.rules = {}
    await power('start', [first]).run()
    expect(await step.probe('interrupted')).toEqual({ state: 'not-done', left: true })
    expect(await step.run()).toMatchObject({ changed: [first, second] })
    const last = proxy.calls.findLast(({ name }) => name === 'ec2 StartInstances')
    expect(last?.body).toContain(second)
    expect(last?.body).not.toContain(first)
    await step.undo()
    expect(await instanceStates(aws, [first, second])).toEqual(['stopped', 'stopped'])
  })

  test('an instance that does not exist, and one that is gone, stop the plan before it begins', async () => {
    const [gone = ''] = await addInstances(aws, 1)
    await aws.ec2.send(new TerminateInstancesCommand({ InstanceIds: [gone] }))
    expect(await power('start', [gone]).preflight()).toMatchObject([{ severity: 'blocker', code: 'instance-gone' }])
    await expect(power('start', ['i-0123456789abcdef0']).preflight()).rejects.toMatchObject({
      code: 'not-found',
      message: expect.stringContaining('i-0123456789abcdef0') as string,
    })
    await expect(power('start', [gone]).run()).rejects.toMatchObject({ code: 'command-failed' })
    // It is known only when an earlier step has run.
    expect(await power('start', ['${steps.make.id}']).preflight()).toEqual([])
  })

  test('an instance that falls back to stopped is not waited for, and the reason is told', async () => {
    const [id = ''] = await addInstances(aws, 1)
    const seen = ['stopped', 'stopped', 'pending', 'stopped']
    // Not moto: its instances always start.
    proxy.rules = {
      after: ({ name }, body) =>
        name === 'ec2 DescribeInstances'
          ? body
              .replace(
                /<instanceState>[\s\S]*?<\/instanceState>/,
                `<instanceState><name>${seen.shift() ?? 'stopped'}</name></instanceState>`,
              )
              .replace(
                /<stateReason>[\s\S]*?<\/stateReason>/,
                '<stateReason><message>Client.VolumeLimitExceeded</message></stateReason>',
              )
          : body,
    }
    await expect(power('start', [id]).run()).rejects.toMatchObject({
      code: 'command-failed',
      message: `${id} did not become running: it is stopped (Client.VolumeLimitExceeded)`,
    })
    expect(proxy.count('ec2 StartInstances')).toBe(1)
  })

  test('when its time is up it says how the instances stand, and it ends when told to', async () => {
    const [id = ''] = await addInstances(aws, 1)
    proxy.rules = {
      after: ({ name }, body) =>
        name === 'ec2 DescribeInstances' ? body.replaceAll('<name>stopped</name>', '<name>pending</name>') : body,
    }
    const stop = new AbortController()
    await using impatient = await actionBench({
      clock: {
        ...systemClock,
        sleep: async (ms, signal) => {
          stop.abort(new Error('enough'))
          await systemClock.sleep(ms, signal)
        },
      },
    })
    const step = impatient.step('aws.ec2.start', { region, instances: [id], endpoint: proxy.url, credentials: anyCredentials })
    await expect(step.run(stop.signal)).rejects.toMatchObject({ message: `${id} is pending` })
    await expect(step.run(stop.signal)).rejects.toThrow('enough')
  })

  test('a call that is never answered ends when the step is told to end', async () => {
    const [id = ''] = await addInstances(aws, 1)
    const stop = new AbortController()
    proxy.rules = {
      before({ name }) {
        if (name !== 'ec2 StartInstances') return undefined
        setImmediate(() => stop.abort(new Error('enough')))
        return 'hang'
      },
    }
    await expect(power('start', [id]).run(stop.signal)).rejects.toThrow('enough')
    expect(proxy.count('ec2 StartInstances')).toBe(1)
  })

  test('what IAM does not allow is found before the plan begins, and the permission is named', async () => {
    const instances = await addInstances(aws, 1)
    const stranger = await addUser(moto, 'stranger', ['ec2:DescribeInstances'])
    const starter = await addUser(moto, 'starter', ['ec2:DescribeInstances', 'ec2:StartInstances'])
    await moto.enforceIam(true)
    onTestFinished(() => moto.enforceIam(false))
    await expect(power('start', instances, { credentials: stranger }).preflight()).rejects.toMatchObject({
      code: 'permission-denied',
      message: expect.stringContaining('ec2:StartInstances') as string,
      hint: expect.stringContaining('allow ec2:StartInstances') as string,
    })
    expect(await power('start', instances, { credentials: starter }).preflight()).toMatchObject([
      { severity: 'warning', code: 'undo-not-permitted', hint: expect.stringContaining('ec2:StopInstances') as string },
    ])
    const wrong = { ...starter, secretAccessKey: { file: 'NOT_THE_RIGHT_ONE' } }
    const refused = power('start', instances, { credentials: wrong }).preflight()
    await expect(refused).rejects.toMatchObject({
      code: 'permission-denied',
      message: expect.stringContaining('does not accept') as string,
    })
    await expect(refused).rejects.not.toMatchObject({ message: expect.stringContaining('NOT_THE_RIGHT_ONE') as string })
  })

  test('throttling and expired credentials are told apart', async () => {
    const instances = await addInstances(aws, 1)
    const says = (code: string, status = 400) => {
      proxy.rules = {
        before: ({ name }) => (name === 'ec2 StartInstances' ? { status, body: ec2Error(code, 'said so.') } : undefined),
      }
    }
    // Not moto: it never throttles, and its credentials do not expire.
    says('RequestLimitExceeded', 503)
    await expect(power('start', instances).run()).rejects.toMatchObject({ code: 'command-failed', retryable: true })
    expect(proxy.count('ec2 StartInstances'), 'the SDK has tried again by itself').toBe(3)
    says('RequestExpired')
    await expect(power('start', instances).run()).rejects.toMatchObject({
      code: 'permission-denied',
      message: expect.stringContaining('expired') as string,
      hint: expect.stringContaining('aws sso login') as string,
    })
  })
})

/** A user of moto's IAM who may do this and nothing else. */
async function addUser({ url }: Moto, name: string, permissions: readonly string[]) {
  const authorization = 'AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/iam/aws4_request, SignedHeaders=host, Signature=0'
  const iam = async (form: Record<string, string>) => {
    const body = new URLSearchParams({ Version: '2010-05-08', UserName: name, ...form })
    return await (await fetch(url, { method: 'POST', headers: { authorization }, body })).text()
  }
  await iam({ Action: 'CreateUser' })
  const statement = { Effect: 'Allow', Action: permissions, Resource: '*' }
  const PolicyDocument = JSON.stringify({ Version: '2012-10-17', Statement: [statement] })
  await iam({ Action: 'PutUserPolicy', PolicyName: 'some', PolicyDocument })
  const key = await iam({ Action: 'CreateAccessKey' })
  const part = (tag: string) => ({ file: new RegExp(`<${tag}>([^<]*)<`).exec(key)?.[1] ?? '' })
  return { accessKeyId: part('AccessKeyId'), secretAccessKey: part('SecretAccessKey') }
}
