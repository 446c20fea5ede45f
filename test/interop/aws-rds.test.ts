import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { actionBench, anyCredentials, leapingClock, type ActionBench } from '../support/aws-actions.ts'
import { promotesReplicas, proxyTo, queryError, type AwsProxy } from '../support/aws-proxy.ts'
import { addDatabase, addReplica, awsClients, reportLag, sourceArn } from '../support/aws-world.ts'
import { startMoto, type Moto } from '../support/moto.ts'
import { describeWith } from '../support/peers.ts'

let moto: Moto
let proxy: AwsProxy
let bench: ActionBench
let replica: string
let count = 0
const region = 'us-west-2'

const promote = (more: object = {}, at = bench) =>
  at.step('aws.rds.promote', { region, replica, endpoint: proxy.url, credentials: anyCredentials, ...more })

/** Not moto: what RDS says of the replica instead. */
const says = (changes: readonly (readonly [RegExp, string])[]) => ({
  after: ({ name }: { readonly name: string }, body: string) =>
    name === 'rds DescribeDBInstances' ? changes.reduce((text, [what, by]) => text.replace(what, by), body) : body,
})
const status = (word: string) => [/(?<=<DBInstanceStatus>)[^<]*/, word] as const
const noSource = [/<ReadReplicaSourceDBInstanceIdentifier>.*?<\/ReadReplicaSourceDBInstanceIdentifier>/, ''] as const

describeWith('moto', 'aws.rds.promote against moto', (environment) => {
  beforeAll(async () => {
    moto = await startMoto(environment)
    proxy = await proxyTo(moto.url)
    bench = await actionBench()
    await addDatabase(moto.url)
  })
  beforeEach(async () => {
    proxy.rules = {}
    proxy.calls.length = 0
    replica = `replica-${++count}`
    await addReplica(moto.url, replica)
  })
  afterAll(async () => {
    await bench[Symbol.asyncDispose]()
    await proxy[Symbol.asyncDispose]()
    await moto[Symbol.asyncDispose]()
  })

  test('a promotion is done when RDS calls it usable and no longer a replica', async () => {
    // moto promotes; that it is no replica afterwards is not moto.
    proxy.rules = promotesReplicas()
    await reportLag(awsClients(moto.url), replica, 2)
    const step = promote({ source: sourceArn, backupRetentionDays: 7, service: 'orders' })
    expect(await step.preflight()).toEqual([])
    expect(await step.probe()).toEqual({ state: 'not-done' })
    const output = await step.run()
    expect(output).toMatchObject({
      replica,
      service: 'orders',
      source: sourceArn,
      backupRetentionDays: 7,
      endpoint: { address: expect.stringContaining(replica) as string, port: 5432 },
    })
    expect(await step.probe('interrupted')).toEqual({ state: 'done', output })
    const { recoveredUntil } = output as { recoveredUntil: string }
    expect(Date.now() - Date.parse(recoveredUntil), 'two seconds before it was reported').toBeGreaterThanOrEqual(2000)
    expect(proxy.count('rds PromoteReadReplica')).toBe(1)
    expect(await promote().preflight()).toMatchObject([{ severity: 'blocker', code: 'not-a-replica' }])
    expect(step.action).toMatchObject({ effect: 'point-of-no-return', canUndo: false })
  })

  test('moto by itself leaves the replica a replica: that is not called done, but unknown', async () => {
    const { clock, within } = leapingClock()
    await using impatient = await actionBench({ clock })
    const step = promote({}, impatient)
    await expect(step.run(within(60_000))).rejects.toMatchObject({
      code: 'timed-out',
      message: `${replica} is available, and still a replica`,
    })
    expect(proxy.count('rds PromoteReadReplica')).toBe(1)
    expect(await step.probe('failed', within(1000))).toMatchObject({
      state: 'unknown',
      because: expect.stringContaining('AWS accepted to promote') as string,
    })
  })

  test('interrupted while AWS promotes, it waits for the end and asks no second time', async () => {
    const { clock, within } = leapingClock()
    await using impatient = await actionBench({ clock })
    const step = promote({ service: 'orders' }, impatient)
    let asked = false
    proxy.rules = {
      after(call, body) {
        asked ||= call.name === 'rds PromoteReadReplica'
        return asked ? says([status('modifying')]).after(call, body) : body
      },
    }
    await expect(step.run(within(60_000))).rejects.toMatchObject({
      code: 'timed-out',
      message: `${replica} is modifying, and still a replica`,
    })
    let looks = 0
    proxy.rules = {
      after: (call, body) =>
        says(++looks < 4 ? [status('rebooting'), noSource] : [status('backing-up'), noSource]).after(call, body),
    }
    expect(await step.probe('interrupted')).toMatchObject({ state: 'done', output: { replica } })
    looks = 0
    expect(await step.run()).toMatchObject({ replica, recoveredUntil: null })
    expect(proxy.count('rds PromoteReadReplica')).toBe(1)
  })

  test('an answer that got lost is looked for: promoted counts, and only a replica that stays one is asked again', async () => {
    const { clock, within } = leapingClock()
    await using quick = await actionBench({ clock })
    const promotion = promotesReplicas()
    proxy.rules = {
      after(call, body) {
        const told = promotion.after(call, body)
        return call.name === 'rds PromoteReadReplica' ? undefined : told
      },
    }
    const step = promote({}, quick)
    await expect(step.run()).rejects.toMatchObject({ code: 'outcome-unknown', retryable: true })
    expect(await step.probe('interrupted')).toMatchObject({ state: 'done' })
    expect(proxy.count('rds PromoteReadReplica')).toBe(1)

    await addReplica(moto.url, (replica = `replica-${++count}`))
    const other = promote({}, quick)
    proxy.rules = { before: ({ name }) => (name === 'rds PromoteReadReplica' ? 'drop' : undefined) }
    await expect(other.run()).rejects.toMatchObject({ code: 'outcome-unknown' })
    expect(await other.probe('interrupted', within(1000)), 'it may still begin').toMatchObject({ state: 'unknown' })
    const before = proxy.count('rds DescribeDBInstances')
    expect(await other.probe('interrupted')).toEqual({ state: 'not-done' })
    expect(proxy.count('rds DescribeDBInstances') - before, 'it was given its time').toBeGreaterThan(10)
  })

  test('a promotion that AWS refuses is not done, and nothing is waited for', async () => {
    proxy.rules = {
      before: ({ name }) =>
        name === 'rds PromoteReadReplica' ? { status: 403, body: queryError('AccessDenied', 'not authorized') } : undefined,
    }
    const step = promote()
    await expect(step.run()).rejects.toMatchObject({
      code: 'permission-denied',
      hint: expect.stringContaining('rds:PromoteReadReplica') as string,
    })
    expect(await step.probe('failed')).toEqual({ state: 'not-done' })
  })

  test('what cannot be promoted stops the plan before it begins, and again just before the promotion', async () => {
    const accept = { acceptUnknownLag: true }
    expect(await promote({ ...accept, replica: 'nothing-of-that-name' }).preflight()).toMatchObject([{ code: 'replica-missing' }])
    expect(await promote({ ...accept, source: 'another-db' }).preflight()).toMatchObject([{ code: 'other-source' }])
    await expect(promote({ ...accept, source: 'another-db' }).run()).rejects.toMatchObject({ code: 'identity-mismatch' })
    proxy.rules = says([status('backing-up')])
    expect(await promote(accept).preflight()).toMatchObject([{ code: 'replica-not-available' }])
    await expect(promote(accept).run()).rejects.toMatchObject({ code: 'command-failed' })
    proxy.rules = says([noSource, [/<DBInstanceClass>/, '<DBClusterIdentifier>orders</DBClusterIdentifier><DBInstanceClass>']])
    expect(await promote(accept).preflight()).toMatchObject([
      { code: 'aurora-member', hint: expect.stringContaining('failover') as string },
    ])
    expect(proxy.count('rds PromoteReadReplica')).toBe(0)
  })

  test('a lag that is unknown or too large is refused, and an unknown one can be accepted', async () => {
    const aws = awsClients(moto.url)
    expect(await promote().preflight()).toMatchObject([{ severity: 'blocker', code: 'lag-unknown' }])
    expect(await promote({ acceptUnknownLag: true }).preflight()).toMatchObject([{ severity: 'warning', code: 'lag-unknown' }])
    await reportLag(aws, replica, 30, 40 * 60_000)
    expect(await promote().preflight()).toMatchObject([
      { severity: 'blocker', code: 'lag-unknown', message: expect.stringContaining('too old (30 s, ') as string },
    ])
    await reportLag(aws, replica, 400, 5 * 60_000)
    expect(await promote().preflight()).toMatchObject([{ severity: 'blocker', code: 'lag-too-large' }])
    // RDS writes -1 while nothing is replicated: the last figure before counts.
    await reportLag(aws, replica, -1, 60_000)
    expect(await promote({ maxLag: '10m' }).preflight()).toEqual([])
    proxy.rules = {
      before: ({ name }) =>
        name.startsWith('monitoring ') ? { status: 403, body: queryError('AccessDenied', 'no') } : undefined,
    }
    expect(await promote().preflight()).toMatchObject([
      { code: 'lag-unknown', message: expect.stringContaining('CloudWatch cannot be read') as string },
    ])
  })

  test('missing backups and replication that is not well are warnings', async () => {
    await reportLag(awsClients(moto.url), replica, 1)
    proxy.rules = says([
      [/(?<=<BackupRetentionPeriod>)\d+/, '0'],
      [
        /<DBInstanceClass>/,
        '<StatusInfos><DBInstanceStatusInfo><StatusType>read replication</StatusType><Normal>false</Normal><Status>error</Status></DBInstanceStatusInfo></StatusInfos><DBInstanceClass>',
      ],
    ])
    expect(await promote().preflight()).toMatchObject([
      { severity: 'warning', code: 'no-backups-after' },
      { severity: 'warning', code: 'replication-problem', message: expect.stringContaining('error') as string },
    ])
    proxy.rules = {}
    expect(await promote({ backupRetentionDays: 0 }).preflight()).toMatchObject([{ code: 'no-backups-after' }])
  })
})
