import { z } from 'zod'
import { awsParams, AwsSession, regionName } from '../aws/index.ts'
import { durationText, text } from '../catalog/index.ts'
import { formatDuration, HoldfastError, isHoldfastError, parseDuration } from '../kernel/index.ts'
import { awsLine, cliCredentials } from './aws/cli.ts'
import { listObjects, type Listed } from './aws/s3-listing.ts'
import { awsName } from './aws/name.ts'
import type { ActionContext } from './contract.ts'
import { defineAction } from './define-action.ts'
import { outputReference } from './param-types.ts'

const params = z.strictObject({
  region: regionName,
  bucket: awsName.describe('The name of the bucket.'),
  prefix: text.describe('Only objects whose keys begin so.').optional(),
  minObjects: z.int().min(1).describe('At least so many objects must be there. None at all is never right.').default(1),
  newerThan: durationText.describe('The newest of them must be younger than this.').optional(),
  versioning: z.boolean().describe('Whether the bucket must keep older versions. Without it, that is not looked at.').optional(),
  objectLock: z
    .strictObject({
      mode: z.enum(['governance', 'compliance']).describe('How new objects are locked by themselves.').optional(),
      atLeast: durationText
        .describe('For how long new objects are locked by themselves, at least; a year counts as 365 days.')
        .optional(),
    })
    .describe('What the bucket’s object lock must be; {} stands for: on. Without it, that is not looked at.')
    .optional(),
  ...awsParams,
})

type Params = z.infer<typeof params>

/** By how much the clocks of S3 and of this machine may differ. */
const skewMs = 5 * 60_000
const dayMs = 86_400_000

/** Looks whether what a recovery needs is in a bucket, fresh, and protected as it should be. */
export const awsS3Check = defineAction<Params>({
  kind: 'aws.s3.check',
  description:
    'Looks whether what a recovery needs is in an S3 bucket: enough objects, the newest of them fresh, and the bucket versioned or locked as it should be. No object at all is a failure; so is one that is dated in the future, for then a clock is wrong. Listing ends as soon as enough was seen. Outputs: `objects` (at least so many), `newest` with `key` and `at`. It does not read the objects.',
  example: { region: 'us-west-2', bucket: 'company-dr-backups', prefix: 'api-db/', newerThan: '1d', versioning: true },
  effect: 'read-only',
  params,

  async preflight(p, context, signal) {
    if (outputReference.test(p.bucket)) return []
    using s3 = await openBucket(p, context, signal)
    await s3.session.call('s3:ListBucket', (how) => s3.client.send(new s3.sdk.HeadBucketCommand({ Bucket: p.bucket }), how))
    return []
  },

  async run(p, context, { signal }) {
    using s3 = await openBucket(p, context, signal)
    const nowMs = context.clock.now().getTime()
    const listed = await listObjects(s3.sdk, s3.client, s3.session, {
      bucket: p.bucket,
      prefix: p.prefix ?? '',
      minObjects: p.minObjects,
      newerThanMs: p.newerThan === undefined ? undefined : nowMs - parseDuration(p.newerThan),
      latestMs: nowMs + skewMs,
    })
    const complaints = [
      ...listingComplaints(p, listed, nowMs),
      ...(await versioningComplaints(p, s3)),
      ...(await lockComplaints(p, s3)),
    ]
    if (complaints.length > 0) {
      throw new HoldfastError('command-failed', {
        message: `s3://${p.bucket}/${p.prefix ?? ''}: ${complaints.join('; ')}`,
        details: { bucket: p.bucket, complaints },
      })
    }
    const { objects, newest } = listed
    return { objects, newest: newest === undefined ? null : { key: newest.key, at: newest.at.toISOString() } }
  },

  manual: ({ bucket, prefix, minObjects, newerThan, versioning, objectLock, ...target }, catalog) => {
    const query = '[length(Contents || `[]`), sort_by(Contents || `[]`, &LastModified)[-1].[Key, LastModified]]'
    const where = ['--bucket', bucket, ...(prefix === undefined ? [] : ['--prefix', prefix])]
    return [
      ...cliCredentials(target, catalog),
      `${awsLine(target, ['s3api', 'list-objects-v2', ...where, '--query', query, '--output', 'json'])}   # expect at least ${minObjects}${newerThan === undefined ? '' : `, the newest younger than ${newerThan}`}`,
      ...(versioning === undefined
        ? []
        : [
            `${awsLine(target, ['s3api', 'get-bucket-versioning', '--bucket', bucket])}   # expect ${versioning ? 'Enabled' : 'nothing, or Suspended'}`,
          ]),
      ...(objectLock === undefined
        ? []
        : [
            `${awsLine(target, ['s3api', 'get-object-lock-configuration', '--bucket', bucket])}   # expect ${['Enabled', objectLock.mode?.toUpperCase(), objectLock.atLeast && `at least ${objectLock.atLeast}`].filter(Boolean).join(', ')}`,
          ]),
    ]
  },
})

async function openBucket(p: Params, context: ActionContext, signal: AbortSignal) {
  const session = new AwsSession(p, context, signal)
  const sdk = await import('@aws-sdk/client-s3')
  // Other servers than AWS's own seldom have a name for each bucket.
  const client = new sdk.S3Client({ ...(await session.clientOptions()), forcePathStyle: p.endpoint !== undefined })
  return { sdk, client, session, [Symbol.dispose]: () => client.destroy() }
}

type Bucket = Awaited<ReturnType<typeof openBucket>>

function listingComplaints({ minObjects, newerThan }: Params, { objects, newest, future }: Listed, nowMs: number): string[] {
  const complaints: string[] = []
  if (future !== undefined)
    complaints.push(`${future.key} is dated ${future.at.toISOString()}, in the future: the clock here is wrong, or the one there`)
  if (objects === 0) return [...complaints, 'there are no objects']
  if (objects < minObjects) complaints.push(`there are ${objects} objects, and ${minObjects} are expected`)
  const ageMs = nowMs - (newest?.at.getTime() ?? 0)
  if (newerThan !== undefined && ageMs > parseDuration(newerThan))
    complaints.push(`the newest object, ${newest?.key}, is ${formatDuration(ageMs)} old: older than ${newerThan}`)
  return complaints
}

async function versioningComplaints({ bucket, versioning }: Params, { sdk, client, session }: Bucket): Promise<string[]> {
  if (versioning === undefined) return []
  const { Status } = await session.call('s3:GetBucketVersioning', (how) =>
    client.send(new sdk.GetBucketVersioningCommand({ Bucket: bucket }), how),
  )
  if ((Status === 'Enabled') === versioning) return []
  return [versioning ? `versioning is ${Status === undefined ? 'off' : Status.toLowerCase()}` : 'versioning is on']
}

async function lockComplaints({ bucket, objectLock }: Params, { sdk, client, session }: Bucket): Promise<string[]> {
  if (objectLock === undefined) return []
  const lock = await session
    .call('s3:GetBucketObjectLockConfiguration', (how) =>
      client.send(new sdk.GetObjectLockConfigurationCommand({ Bucket: bucket }), how),
    )
    .catch((error: unknown) => {
      if (isHoldfastError(error, 'not-found') && error.details.aws === 'ObjectLockConfigurationNotFoundError') return undefined
      throw error
    })
  if (lock?.ObjectLockConfiguration?.ObjectLockEnabled !== 'Enabled') return ['it has no object lock']
  const { Mode, Days, Years } = lock.ObjectLockConfiguration.Rule?.DefaultRetention ?? {}
  const { mode, atLeast } = objectLock
  const complaints: string[] = []
  if (mode !== undefined && Mode?.toLowerCase() !== mode)
    complaints.push(
      `new objects are ${Mode === undefined ? 'not locked by themselves' : `locked in ${Mode.toLowerCase()} mode`}, not ${mode}`,
    )
  const forMs = ((Days ?? 0) + (Years ?? 0) * 365) * dayMs
  if (atLeast !== undefined && forMs < parseDuration(atLeast))
    complaints.push(`new objects are locked for ${formatDuration(forMs)}, less than ${atLeast}`)
  return complaints
}
