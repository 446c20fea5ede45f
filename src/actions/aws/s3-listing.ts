import type { S3Client, ListObjectsV2Command } from '@aws-sdk/client-s3'
import type { AwsSession } from '../../aws/index.ts'

/** The SDK, once it is loaded. */
interface Sdk {
  readonly ListObjectsV2Command: typeof ListObjectsV2Command
}

/** What is looked for in a listing. */
export interface Sought {
  readonly bucket: string
  readonly prefix: string
  readonly minObjects: number
  /** At least one object must be younger (milliseconds since 1970). */
  readonly newerThanMs: number | undefined
  /** Younger than this cannot be: a clock is wrong (milliseconds since 1970). */
  readonly latestMs: number
}

export interface Listed {
  /** Objects seen, at least; without the empty ones that stand for folders. */
  readonly objects: number
  readonly newest: { readonly key: string; readonly at: Date } | undefined
  /** The first whose date lies in the future. It counts for nothing. */
  readonly future: { readonly key: string; readonly at: Date } | undefined
}

/** Lists until what is sought was seen, or everything was. S3 lists by name, so the newest may come last. */
export async function listObjects(sdk: Sdk, client: S3Client, session: AwsSession, sought: Sought): Promise<Listed> {
  let objects = 0
  let newest: Listed['newest']
  let future: Listed['future']
  for (let token: string | undefined; ;) {
    const command = new sdk.ListObjectsV2Command({
      Bucket: sought.bucket,
      Prefix: sought.prefix,
      ...(token === undefined ? {} : { ContinuationToken: token }),
    })
    const page = await session.call('s3:ListBucket', (how) => client.send(command, how))
    for (const { Key: key = '', Size = 0, LastModified: at } of page.Contents ?? []) {
      if (at === undefined || (Size === 0 && key.endsWith('/'))) continue
      if (at.getTime() > sought.latestMs) {
        future ??= { key, at }
        continue
      }
      objects++
      if (newest === undefined || at > newest.at) newest = { key, at }
    }
    const isEnough = objects >= sought.minObjects && (newest?.at.getTime() ?? -Infinity) >= (sought.newerThanMs ?? -Infinity)
    token = page.IsTruncated === true ? page.NextContinuationToken : undefined
    if (isEnough || token === undefined) return { objects, newest, future }
  }
}
