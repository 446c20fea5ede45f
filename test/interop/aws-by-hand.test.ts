import { chmod, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { PutObjectCommand, CreateBucketCommand } from '@aws-sdk/client-s3'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { actions } from '../../src/actions/index.ts'
import { runProcess } from '../../src/kernel/index.ts'
import { promotesReplicas, proxyTo, type AwsProxy } from '../support/aws-proxy.ts'
import {
  addDatabase,
  addInstances,
  addReplica,
  addZone,
  awsClients,
  instanceStates,
  plainRecord,
  recordAt,
} from '../support/aws-world.ts'
import { temporaryFolder } from '../support/holdfast.ts'
import { startMoto, type Moto } from '../support/moto.ts'
import { describeWith } from '../support/peers.ts'

let moto: Moto
let proxy: AwsProxy
let folder: Awaited<ReturnType<typeof temporaryFolder>>
let aws: ReturnType<typeof awsClients>
const region = 'us-west-2'

function bound(kind: string, params: object) {
  const action = actions.find((candidate) => candidate.kind === kind)
  if (action === undefined) throw new Error(`there is no ${kind}`)
  const credentials = { accessKeyId: { env: 'DR_KEY' }, secretAccessKey: { env: 'DR_SECRET' } }
  return action.bind({ endpoint: proxy.url, credentials, ...params })
}

/** As a person would type them, one after the other, in a shell that stops at the first that fails. */
async function byHand(lines: readonly string[]): Promise<string> {
  const environment = {
    PATH: `${folder.path}:${process.env.PATH}`,
    HOME: folder.path,
    DR_KEY: 'test',
    DR_SECRET: 'test',
    AWS_PAGER: '',
  }
  const { exitCode, stdout, stderr } = await runProcess('sh', ['-euc', lines.join('\n')], {
    cwd: folder.path,
    env: environment,
  })
  expect(exitCode, `${lines.join('\n')}\n${stdout}${stderr}`).toBe(0)
  return stdout
}

describeWith('moto', 'the commands of the runbook, with the real aws command against moto', (environment) => {
  beforeAll(async () => {
    moto = await startMoto(environment)
    proxy = await proxyTo(moto.url)
    folder = await temporaryFolder('aws-by-hand')
    aws = awsClients(moto.url)
    const command = join(folder.path, 'aws')
    await writeFile(command, `#!/bin/sh\nexec '${join(environment, 'bin/python')}' -m awscli "$@"\n`)
    await chmod(command, 0o755)
  })
  afterAll(async () => {
    await proxy[Symbol.asyncDispose]()
    await moto[Symbol.asyncDispose]()
    await folder[Symbol.asyncDispose]()
  })

  test('start and stop instances, and take it back', async () => {
    const instances = await addInstances(aws, 2)
    const start = bound('aws.ec2.start', { region, instances })
    expect(await byHand(start.manual())).toMatch(/\srunning\s[\d.]+\n.*\srunning\s/)
    expect(await instanceStates(aws, instances)).toEqual(['running', 'running'])
    expect(await byHand(start.manualUndo())).toMatch(/\sstopped\s/)
    expect(await instanceStates(aws, instances)).toEqual(['stopped', 'stopped'])
  })

  test('promote a replica, and wait until it is none', async () => {
    await addDatabase(moto.url)
    await addReplica(moto.url, 'api-db-replica')
    // Not moto: that it is no replica any more.
    proxy.rules = promotesReplicas()
    const shown = await byHand(
      bound('aws.rds.promote', {
        region,
        replica: 'api-db-replica',
        backupRetentionDays: 7,
      }).manual(),
    )
    expect(shown.split('\n').at(0)).toMatch(/^available\tarn:aws:rds:us-east-1:/)
    expect(shown.trimEnd().split('\n').at(-1)).toMatch(/^available\tNone\t/)
    proxy.rules = {}
  })

  test('switch a name, and put back what was there', async () => {
    const before = plainRecord('10.0.1.10')
    const zone = await addZone(aws, [before])
    const upsert = bound('aws.route53.upsert', {
      zone,
      record: 'api.company.com',
      value: '10.0.2.100',
    })
    expect(JSON.parse(lastJson(await byHand(upsert.manual())))).toMatchObject([
      { TTL: 60, ResourceRecords: [{ Value: '10.0.2.100' }] },
    ])
    expect(await recordAt(aws, zone)).toEqual(plainRecord('10.0.2.100', 60))
    await byHand(upsert.manualUndo())
    expect(await recordAt(aws, zone)).toEqual(before)
  })

  test('write a name that was not there, and remove it again', async () => {
    const zone = await addZone(aws)
    const wild = bound('aws.route53.upsert', {
      zone,
      record: '*.company.com',
      type: 'TXT',
      value: 'on standby',
    })
    await byHand(wild.manual())
    expect(await recordAt(aws, zone, '*.company.com.', 'TXT')).toMatchObject({
      ResourceRecords: [{ Value: '"on standby"' }],
    })
    await byHand(wild.manualUndo())
    expect(await recordAt(aws, zone, '*.company.com.', 'TXT')).toBeUndefined()
  })

  test('look into a bucket', async () => {
    const Bucket = 'by-hand'
    await aws.s3.send(
      new CreateBucketCommand({
        Bucket,
        CreateBucketConfiguration: { LocationConstraint: region },
        ObjectLockEnabledForBucket: true,
      }),
    )
    await aws.s3.send(new PutObjectCommand({ Bucket, Key: 'db/1', Body: 'one' }))
    const check = bound('aws.s3.check', {
      region,
      bucket: Bucket,
      prefix: 'db/',
      newerThan: '1d',
      versioning: true,
      objectLock: {},
    })
    const shown = await byHand(check.manual())
    expect(shown).toMatch(/^\[\s+1,\s+\[\s+"db\/1",/)
    expect(shown).toContain('"Status": "Enabled"')
    expect(shown).toContain('"ObjectLockEnabled": "Enabled"')
    const nothing = bound('aws.s3.check', { region, bucket: Bucket, prefix: 'none/' })
    expect(await byHand(nothing.manual())).toMatch(/^\[\s+0,/)
  })
})

/** The last JSON list of an output. */
function lastJson(shown: string): string {
  return shown.slice(shown.lastIndexOf('\n[') + 1)
}
