import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { actionBench, anyCredentials, leapingClock, type ActionBench } from '../support/aws-actions.ts'
import { proxyTo, type AwsProxy } from '../support/aws-proxy.ts'
import { addZone, awsClients, plainRecord, recordAt, setRecord } from '../support/aws-world.ts'
import { startMoto, type Moto } from '../support/moto.ts'
import { describeWith } from '../support/peers.ts'

let moto: Moto
let proxy: AwsProxy
let bench: ActionBench
let aws: ReturnType<typeof awsClients>

const upsert = (zone: string, more: object = {}, at = bench) =>
  at.step('aws.route53.upsert', {
    zone,
    record: 'api.company.com',
    value: '10.0.2.100',
    endpoint: proxy.url,
    credentials: anyCredentials,
    ...more,
  })

const changes = () => proxy.calls.filter(({ name }) => name.startsWith('route53 POST ') && name.includes('/rrset'))

describeWith('moto', 'aws.route53.upsert against moto', (environment) => {
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

  test('a record is replaced, and its undo puts back exactly what was there', async () => {
    const before = { ...plainRecord('10.0.1.10'), ResourceRecords: [{ Value: '10.0.1.10' }, { Value: '10.0.1.11' }] }
    const zone = await addZone(aws, [before])
    const step = upsert(zone)
    expect(await step.preflight()).toEqual([])
    expect(await step.probe()).toEqual({ state: 'not-done' })
    expect(await step.run()).toEqual({
      record: 'api.company.com.',
      type: 'A',
      values: ['10.0.2.100'],
      ttlSeconds: 60,
      previous: ['10.0.1.10', '10.0.1.11'],
      previousTtlSeconds: 300,
    })
    expect(await recordAt(aws, zone)).toEqual(plainRecord('10.0.2.100', 60))
    expect(await step.probe('interrupted')).toMatchObject({ state: 'done', output: { previousTtlSeconds: 300 } })
    await step.undo()
    await step.undo()
    expect(await recordAt(aws, zone)).toEqual(before)
    expect(changes()).toHaveLength(2)
  })

  test('a record that was not there is removed by the undo; an alias comes back as one', async () => {
    const zone = await addZone(aws)
    const step = upsert(zone, { type: 'TXT', value: ['standby', '"as it is"'] })
    await step.run()
    expect(await recordAt(aws, zone, 'api.company.com.', 'TXT')).toMatchObject({
      ResourceRecords: [{ Value: '"standby"' }, { Value: '"as it is"' }],
    })
    await step.undo()
    expect(await recordAt(aws, zone, 'api.company.com.', 'TXT')).toBeUndefined()

    const AliasTarget = { HostedZoneId: 'Z35SXDOTRQ7X7K', DNSName: 'lb.us-east-1.elb.amazonaws.com.', EvaluateTargetHealth: true }
    await setRecord(aws, zone, { Name: 'api.company.com.', Type: 'A', AliasTarget })
    const before = await recordAt(aws, zone)
    const other = upsert(zone)
    expect(await other.run()).toMatchObject({ previous: 'alias' })
    expect(await recordAt(aws, zone)).toEqual(plainRecord('10.0.2.100', 60))
    await other.undo()
    expect(await recordAt(aws, zone)).toEqual(before)
  })

  test('what somebody else has written meanwhile is left alone, by the step and by its undo', async () => {
    const zone = await addZone(aws, [plainRecord('10.0.1.10')])
    const step = upsert(zone)
    await step.run()
    await setRecord(aws, zone, plainRecord('10.0.3.3'))
    await expect(step.undo()).rejects.toMatchObject({
      code: 'identity-mismatch',
      message: expect.stringContaining('10.0.3.3') as string,
    })
    expect(await recordAt(aws, zone)).toEqual(plainRecord('10.0.3.3'))

    // Between a step's look and its change: it is shown what was there before, and moto holds the transaction against what is there.
    proxy.rules = { after: (_call, body) => body.replace('<Value>10.0.3.3</Value>', '<Value>10.0.1.10</Value>') }
    await expect(upsert(zone).run()).rejects.toMatchObject({ code: 'command-failed' })
    expect(await recordAt(aws, zone)).toEqual(plainRecord('10.0.3.3'))
  })

  test('it is done only when every server of Route 53 has it, also after an interruption', async () => {
    const zone = await addZone(aws, [plainRecord('10.0.1.10')])
    const { clock, within } = leapingClock()
    await using patient = await actionBench({ clock })
    const step = upsert(zone, {}, patient)
    let looks = 0
    // Not moto: its changes are everywhere at once.
    const pendingUntil = (look: number) => ({
      after: ({ name }: { readonly name: string }, body: string) =>
        name.includes('/change/') && ++looks < look ? body.replace('INSYNC', 'PENDING') : body,
    })
    proxy.rules = pendingUntil(Infinity)
    await expect(step.run(within(10_000))).rejects.toMatchObject({
      code: 'timed-out',
      message: expect.stringContaining('not yet at every server') as string,
    })
    expect(await step.probe('interrupted')).toEqual({ state: 'not-done', left: true })
    looks = 0
    proxy.rules = pendingUntil(5)
    expect(await step.run()).toMatchObject({ previous: ['10.0.1.10'] })
    expect(looks).toBe(5)
    expect(changes()).toHaveLength(1)
    await step.undo()
    expect(await recordAt(aws, zone)).toEqual(plainRecord('10.0.1.10'))
  })

  test('an answer that got lost is looked for: the change is not taken for somebody else’s', async () => {
    const zone = await addZone(aws, [plainRecord('10.0.1.10')])
    let dropped = 0
    proxy.rules = { after: ({ name }, body) => (name.startsWith('route53 POST ') && dropped++ === 0 ? undefined : body) }
    const step = upsert(zone)
    expect(await step.run()).toMatchObject({ previous: ['10.0.1.10'] })
    expect(await recordAt(aws, zone)).toEqual(plainRecord('10.0.2.100', 60))
    await step.undo()
    expect(await recordAt(aws, zone)).toEqual(plainRecord('10.0.1.10'))
  })

  test('a zone that does not exist, a name of another zone, and records beside which it cannot stand stop the plan', async () => {
    const weighted = { ...plainRecord('10.0.1.10'), SetIdentifier: 'east', Weight: 10 }
    const zone = await addZone(aws, [weighted])
    await expect(upsert('Z0000000000000').preflight()).rejects.toMatchObject({ code: 'not-found' })
    expect(await upsert(zone, { record: 'api.notcompany.com' }).preflight()).toMatchObject([
      { severity: 'blocker', code: 'other-zone' },
    ])
    expect(await upsert(zone).preflight()).toMatchObject([{ severity: 'blocker', code: 'record-conflict' }])
    await expect(upsert(zone).run()).rejects.toMatchObject({ code: 'command-failed' })
    await setRecord(aws, zone, {
      Name: 'www.company.com',
      Type: 'CNAME',
      TTL: 60,
      ResourceRecords: [{ Value: 'api.company.com' }],
    })
    expect(await upsert(zone, { record: 'WWW.company.com' }).preflight()).toMatchObject([{ code: 'record-conflict' }])
    expect(await upsert(zone, { record: 'company.com', value: '10.0.0.1' }).preflight()).toEqual([])
  })

  test('a TTL for which clients would keep the old value is a warning', async () => {
    const zone = await addZone(aws, [plainRecord('10.0.1.10', 86_400)])
    expect(await upsert(zone).preflight()).toMatchObject([
      { severity: 'warning', code: 'ttl-too-long', message: expect.stringContaining('1 d') as string },
    ])
    expect(await upsert(zone, { maxTtl: '1d' }).preflight()).toEqual([])
  })
})
