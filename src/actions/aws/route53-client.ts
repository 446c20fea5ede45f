import type { ResourceRecordSet } from '@aws-sdk/client-route-53'
import { z } from 'zod'
import { canonicalJson, HoldfastError } from '../../kernel/index.ts'
import type { ActionContext } from '../contract.ts'
import { AwsSession, type AwsTarget } from '../../aws/index.ts'

/** A record set as Route 53 gives and takes it, whole: also what Holdfast does not look at is put back as it was. */
export const recordSet = z.looseObject({
  Name: z.string(),
  Type: z.string(),
  TTL: z.number().optional(),
  SetIdentifier: z.string().optional(),
  ResourceRecords: z.array(z.looseObject({ Value: z.string() })).optional(),
})

export type RecordSet = z.infer<typeof recordSet>

export interface Zone {
  /** With its dot at the end. */
  readonly name: string
  readonly isPrivate: boolean
}

export interface Route53 extends Disposable {
  /** Throws `not-found` when there is no such zone. */
  zone(id: string): Promise<Zone>
  /** Everything under a name, of whatever type. */
  records(zone: string, name: string): Promise<RecordSet[]>
  /**
   * Replaces a record set in one transaction, which is refused when what stands there is no longer exactly `before`. Undefined stands for
   * none. Gives the id of the change.
   */
  replace(zone: string, before: RecordSet | undefined, after: RecordSet | undefined, comment: string): Promise<string>
  /** Writes what is there already, to get a change to wait for. */
  rewrite(zone: string, record: RecordSet, comment: string): Promise<string>
  isInSync(change: string): Promise<boolean>
}

/** Route 53. The SDK is loaded here, for nothing else needs it. */
export async function openRoute53(
  target: AwsTarget,
  context: Pick<ActionContext, 'resolveSecret'>,
  signal: AbortSignal,
): Promise<Route53> {
  const session = new AwsSession(target, context, signal)
  const sdk = await import('@aws-sdk/client-route-53')
  const client = new sdk.Route53Client(await session.clientOptions())
  const change = async (
    zone: string,
    changes: readonly (readonly ['CREATE' | 'DELETE' | 'UPSERT', RecordSet])[],
    comment: string,
  ) => {
    const Changes = changes.map(([Action, record]) => ({ Action, ResourceRecordSet: record as ResourceRecordSet }))
    const command = new sdk.ChangeResourceRecordSetsCommand({
      HostedZoneId: zone,
      ChangeBatch: { Changes, Comment: comment.slice(0, 256) },
    })
    const { ChangeInfo } = await session.call('route53:ChangeResourceRecordSets', (how) => client.send(command, how))
    if (ChangeInfo?.Id !== undefined) return ChangeInfo.Id
    throw new HoldfastError('command-failed', { message: `Route 53 gave no id of the change in ${zone}`, retryable: true })
  }
  return {
    async zone(id) {
      const { HostedZone } = await session.call('route53:GetHostedZone', (how) =>
        client.send(new sdk.GetHostedZoneCommand({ Id: id }), how),
      )
      return { name: canonicalName(HostedZone?.Name ?? ''), isPrivate: HostedZone?.Config?.PrivateZone === true }
    },
    async records(zone, name) {
      const wanted = canonicalName(name)
      const found: RecordSet[] = []
      for (let from: { StartRecordName: string; StartRecordType?: ResourceRecordSet['Type'] } = { StartRecordName: wanted }; ;) {
        const command = new sdk.ListResourceRecordSetsCommand({ HostedZoneId: zone, ...from })
        const page = await session.call('route53:ListResourceRecordSets', (how) => client.send(command, how))
        const records = page.ResourceRecordSets ?? []
        const matching = records.filter(({ Name = '' }) => canonicalName(Name) === wanted)
        found.push(...matching.map((record) => recordSet.parse(JSON.parse(JSON.stringify(record)))))
        // In order: behind the first of another name there are no more of ours.
        if (page.IsTruncated !== true || page.NextRecordName === undefined || canonicalName(page.NextRecordName) !== wanted)
          return found
        from = { StartRecordName: page.NextRecordName, StartRecordType: page.NextRecordType }
      }
    },
    async replace(zone, before, after, comment) {
      return await change(
        zone,
        [
          ...(before === undefined ? [] : [['DELETE', before] as const]),
          ...(after === undefined ? [] : [['CREATE', after] as const]),
        ],
        comment,
      )
    },
    rewrite: (zone, record, comment) => change(zone, [['UPSERT', record]], comment),
    async isInSync(id) {
      const { ChangeInfo } = await session.call('route53:GetChange', (how) =>
        client.send(new sdk.GetChangeCommand({ Id: id }), how),
      )
      return ChangeInfo?.Status === 'INSYNC'
    },
    [Symbol.dispose]: () => client.destroy(),
  }
}

/** As two names are compared: lower case, a dot at the end, and Route 53's `\052` for `*` (its escapes for other characters alike). */
export function canonicalName(name: string): string {
  const plain = name
    .replaceAll(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)))
    .toLowerCase()
  return plain.endsWith('.') ? plain : `${plain}.`
}

/** Whether two record sets say the same; the order of values says nothing. */
export function isSameRecord(a: RecordSet | undefined, b: RecordSet | undefined): boolean {
  return canonicalJson(comparable(a)) === canonicalJson(comparable(b))
}

function comparable(record: RecordSet | undefined): unknown {
  if (record === undefined) return null
  const values = record.ResourceRecords?.map(({ Value }) => Value).toSorted()
  return { ...record, Name: canonicalName(record.Name), ResourceRecords: values }
}
