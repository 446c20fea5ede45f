import {
  CreateBucketCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  PutObjectLockConfigurationCommand,
} from '@aws-sdk/client-s3'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { systemClock } from '../../src/kernel/index.ts'
import { actionBench, anyCredentials, type ActionBench } from '../support/aws-actions.ts'
import { awsClients } from '../support/aws-world.ts'
import { startMoto, type Moto } from '../support/moto.ts'
import { describeWith } from '../support/peers.ts'

let moto: Moto
let bench: ActionBench
let s3: ReturnType<typeof awsClients>['s3']
const region = 'us-west-2'
const Bucket = 'company-dr-backups'

const check = (more: object = {}, at = bench) =>
  at.step('aws.s3.check', { region, bucket: Bucket, endpoint: moto.url, credentials: anyCredentials, ...more })

const says = (text: string) => ({ code: 'command-failed', message: expect.stringContaining(text) as string })

describeWith('moto', 'aws.s3.check against moto', (environment) => {
  beforeAll(async () => {
    moto = await startMoto(environment)
    bench = await actionBench()
    ;({ s3 } = awsClients(moto.url))
    await makeBucket(Bucket, true)
    await s3.send(new PutObjectCommand({ Bucket, Key: 'empty/', ContentLength: 0 }))
    for (const Key of ['db/1', 'db/2', 'db/3']) await s3.send(new PutObjectCommand({ Bucket, Key, Body: Key }))
  })
  afterAll(async () => {
    await bench[Symbol.asyncDispose]()
    await moto[Symbol.asyncDispose]()
  })

  test('it passes for what is there and fresh, and says what it saw', async () => {
    const step = check({ prefix: 'db/', minObjects: 3, newerThan: '1h', versioning: true, objectLock: {} })
    expect(await step.preflight()).toEqual([])
    expect(await step.run()).toEqual({
      objects: 3,
      newest: { key: expect.stringMatching(/^db\//) as string, at: expect.stringMatching(/^\d{4}-.*Z$/) as string },
    })
    expect(step.action).toMatchObject({ effect: 'read-only', isCheck: true })
  })

  test('no objects at all is a failure, and what only stands for a folder is none', async () => {
    await expect(check({ prefix: 'nothing/' }).run()).rejects.toMatchObject(says('there are no objects'))
    await expect(check({ prefix: 'empty/' }).run()).rejects.toMatchObject(says('there are no objects'))
    await expect(check({ prefix: 'db/', minObjects: 4 }).run()).rejects.toMatchObject(
      says('there are 3 objects, and 4 are expected'),
    )
  })

  test('what is too old, and what is dated in the future, fails', async () => {
    await using tomorrow = await actionBench({ clock: { ...systemClock, now: () => new Date(Date.now() + 86_400_000) } })
    await expect(check({ prefix: 'db/', newerThan: '12h' }, tomorrow).run()).rejects.toMatchObject(says('older than 12h'))
    await using yesterday = await actionBench({ clock: { ...systemClock, now: () => new Date(Date.now() - 86_400_000) } })
    await expect(check({ prefix: 'db/', newerThan: '12h' }, yesterday).run()).rejects.toMatchObject(says('in the future'))
  })

  test('versioning and object lock that are not as they should be fail', async () => {
    await expect(check({ versioning: false }).run()).rejects.toMatchObject(says('versioning is on'))
    await expect(check({ objectLock: { mode: 'compliance', atLeast: '30d' } }).run()).rejects.toMatchObject(
      says('not locked by themselves, not compliance; new objects are locked for 0 s, less than 30d'),
    )
    // moto takes a default lock for an empty bucket only.
    const locked = { bucket: 'locked-bucket' }
    await makeBucket(locked.bucket, true)
    const Rule = { DefaultRetention: { Mode: 'GOVERNANCE', Days: 30 } } as const
    const ObjectLockConfiguration = { ObjectLockEnabled: 'Enabled', Rule } as const
    await s3.send(new PutObjectLockConfigurationCommand({ Bucket: locked.bucket, ObjectLockConfiguration }))
    await s3.send(new PutObjectCommand({ Bucket: locked.bucket, Key: 'one', Body: 'one' }))
    expect(await check({ ...locked, objectLock: { mode: 'governance', atLeast: '30d' } }).run()).toMatchObject({ objects: 1 })
    await expect(check({ ...locked, objectLock: { atLeast: '31d' } }).run()).rejects.toMatchObject(says('less than 31d'))

    const plain = { bucket: 'plain-bucket' }
    await makeBucket(plain.bucket)
    await s3.send(new PutObjectCommand({ Bucket: plain.bucket, Key: 'one', Body: 'one' }))
    await expect(check({ ...plain, versioning: true, objectLock: {} }).run()).rejects.toMatchObject(
      says('versioning is off; it has no object lock'),
    )
    await s3.send(new PutBucketVersioningCommand({ Bucket: plain.bucket, VersioningConfiguration: { Status: 'Suspended' } }))
    await expect(check({ ...plain, versioning: true }).run()).rejects.toMatchObject(says('versioning is suspended'))
  })

  test('a bucket that does not exist stops the plan before it begins', async () => {
    const preflight = check({ bucket: 'no-such-bucket-here' }).preflight()
    await expect(preflight).rejects.toMatchObject({ code: 'not-found', hint: expect.stringContaining('region') as string })
  })
})

async function makeBucket(name: string, lockable = false): Promise<void> {
  const where = { CreateBucketConfiguration: { LocationConstraint: region } } as const
  await s3.send(new CreateBucketCommand({ Bucket: name, ...where, ObjectLockEnabledForBucket: lockable }))
}
