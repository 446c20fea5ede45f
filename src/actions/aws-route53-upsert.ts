import { z } from 'zod'
import { awsParams, regionName } from '../aws/index.ts'
import { durationText, text } from '../catalog/index.ts'
import { blocker, formatDuration, HoldfastError, isHoldfastError, parseDuration, type Json, quote } from '../kernel/index.ts'
import { awsLine, cliCredentials } from './aws/cli.ts'
import { pause } from './pause.ts'
import { canonicalName, isSameRecord, openRoute53, recordSet, type RecordSet, type Route53 } from './aws/route53-client.ts'
import { awsName } from './aws/name.ts'
import { done, halfDone, notDone, type ActionContext, type Finding } from './contract.ts'
import { defineAction } from './define-action.ts'
import { outputReference } from './param-types.ts'
import { readNote, writeNote } from './step-notes.ts'

const params = z.strictObject({
  zone: awsName.describe('The id of the hosted zone.'),
  record: awsName.describe('The whole name of the record, such as api.example.com.'),
  type: z.enum(['A', 'AAAA', 'CNAME', 'TXT', 'MX', 'SRV']).describe('Its type.').default('A'),
  value: z.union([text, z.array(text).min(1)]).describe('What it says: one value, or several.'),
  ttl: durationText.describe('For how long resolvers may keep it; whole seconds.').default('60s'),
  maxTtl: durationText
    .describe(
      'A warning when what stands there now may be kept for longer than this: for so long clients go on with the old value.',
    )
    .default('5m'),
  region: regionName.describe('Route 53 is global: it is asked as that of this region.').default('us-east-1'),
  ...awsParams,
})

type Params = z.infer<typeof params>

const note = z.strictObject({
  /** What stood there before the first attempt. */
  before: recordSet.nullable(),
  /** What this step writes. */
  ours: recordSet,
  changeId: z.string().optional(),
  undoChangeId: z.string().optional(),
})
type Note = z.infer<typeof note>

const pollMs = 1000

/** Points a DNS name somewhere else, and waits until every Route 53 server says so. Its undo puts back what was there, unless somebody has changed it since. */
export const awsRoute53Upsert = defineAction<Params>({
  kind: 'aws.route53.upsert',
  description:
    'Writes a record into a Route 53 zone, and waits until every server of Route 53 has it (`INSYNC`). What stands there is noted before, and replaced in one transaction that Route 53 refuses when somebody else was quicker. The undo puts the noted record back exactly, or removes ours where there was none; a record that is no longer ours is left alone, and the undo fails. Records that are routed by a policy are refused. Outputs: `record`, `type`, `values`, `ttlSeconds`, `previous`, `previousTtlSeconds`.',
  example: { zone: 'Z0123456789ABCDEFGHIJ', record: 'api.example.com', value: '10.0.2.100', ttl: '60s' },
  effect: 'reversible',
  params,

  async preflight(p, context, signal) {
    if (outputReference.test(p.zone) || outputReference.test(p.record)) return []
    using route53 = await openRoute53(p, context, signal)
    const { name } = await route53.zone(p.zone)
    const findings: Finding[] = []
    const record = canonicalName(p.record)
    if (record !== name && !record.endsWith(`.${name}`)) {
      const message = `${p.record} does not belong to the zone ${p.zone}, which is that of ${name}`
      return [blocker('other-zone', message, '`aws route53 list-hosted-zones` lists the zones')]
    }
    const there = await route53.records(p.zone, p.record)
    const problem = problemOf(p, there)
    if (problem !== undefined) findings.push(blocker('record-conflict', problem))
    const ttlMs = (ofType(there, p.type)?.TTL ?? 0) * 1000
    if (ttlMs > parseDuration(p.maxTtl)) {
      const message = `${p.record} may be kept for ${formatDuration(ttlMs)}: for so long clients go on with the old value`
      findings.push({
        severity: 'warning',
        code: 'ttl-too-long',
        message,
        hint: `set its TTL to ${p.ttl} now, before it is needed`,
      })
    }
    return findings
  },

  async probe(p, context, { signal, idempotencyKey, previous }) {
    if (previous === 'none') return notDone
    const noted = await readNote(context, idempotencyKey, note)
    if (noted === undefined) return notDone
    using route53 = await openRoute53(p, context, signal)
    const there = ofType(await route53.records(p.zone, p.record), p.type)
    if (!isSameRecord(there, noted.ours)) return notDone
    const { changeId } = noted
    if (changeId !== undefined && (await route53.isInSync(changeId))) return done(outcome(noted))
    return isSameRecord(noted.ours, noted.before ?? undefined) ? notDone : halfDone
  },

  async run(p, context, { signal, idempotencyKey }) {
    using route53 = await openRoute53(p, context, signal)
    const comment = `holdfast ${idempotencyKey}`
    let noted = await readNote(context, idempotencyKey, note)
    const there = await route53.records(p.zone, p.record)
    const problem = problemOf(p, there)
    if (problem !== undefined) throw new HoldfastError('command-failed', { message: problem })
    const current = ofType(there, p.type)
    if (noted === undefined) {
      noted = { before: current ?? null, ours: wanted(p) }
      await remember(context, idempotencyKey, noted)
    }
    if (!isSameRecord(current, noted.ours)) {
      const before = noted.before ?? undefined
      if (!isSameRecord(current, before)) throw changedMeanwhile(p, current)
      noted = { ...noted, changeId: await replaceOrFind(route53, p, before, noted.ours, comment) }
      await remember(context, idempotencyKey, noted)
    } else if (noted.changeId === undefined) {
      // Whether all servers have it can only be asked of a change.
      noted = { ...noted, changeId: await route53.rewrite(p.zone, noted.ours, comment) }
      await remember(context, idempotencyKey, noted)
    }
    await waitInSync(route53, noted.changeId, p, context, signal)
    return outcome(noted)
  },

  async undo(p, _output, context, { signal, idempotencyKey }) {
    let noted = await readNote(context, idempotencyKey, note)
    if (noted === undefined) return
    using route53 = await openRoute53(p, context, signal)
    const before = noted.before ?? undefined
    const current = ofType(await route53.records(p.zone, p.record), p.type)
    if (!isSameRecord(current, before)) {
      if (!isSameRecord(current, noted.ours)) throw changedMeanwhile(p, current)
      noted = { ...noted, undoChangeId: await route53.replace(p.zone, noted.ours, before, `holdfast undo ${idempotencyKey}`) }
      await remember(context, idempotencyKey, noted)
    }
    await waitInSync(route53, noted.undoChangeId, p, context, signal)
  },

  manual(p, catalog) {
    const change = JSON.stringify({ Changes: [{ Action: 'UPSERT', ResourceRecordSet: wanted(p) }] })
    return [
      ...cliCredentials(p, catalog),
      '# what stands there now, as the change that brings it back: keep this file',
      `${list(p, `{Changes: ${selected(p)}.{Action: 'UPSERT', ResourceRecordSet: @}}`)} > ${quote(fileOf(p))}`,
      ...applied(p, change),
      `${list(p, selected(p))}   # expect ${values(p).join(', ')} with TTL ${ttlSeconds(p)}`,
    ]
  },

  manualUndo(p, catalog) {
    const removal = JSON.stringify({ Changes: [{ Action: 'DELETE', ResourceRecordSet: wanted(p) }] })
    return [
      ...cliCredentials(p, catalog),
      `# only while ${p.record} still says ${values(p).join(', ')}; without a record in the file, there was none: remove ours`,
      `if grep -q UPSERT ${quote(fileOf(p))}; then change=file://${quote(fileOf(p))}; else change=${quote(removal)}; fi`,
      ...applied(p, undefined),
      `${list(p, selected(p))}   # expect what is in ${quote(fileOf(p))}`,
    ]
  },
})

/** A refused transaction may be the second one, after an answer that got lost. */
async function replaceOrFind(
  route53: Route53,
  { zone, record, type }: Params,
  before: RecordSet | undefined,
  after: RecordSet,
  comment: string,
): Promise<string> {
  try {
    return await route53.replace(zone, before, after, comment)
  } catch (error) {
    if (!isHoldfastError(error, 'command-failed')) throw error
    if (!isSameRecord(ofType(await route53.records(zone, record), type), after)) throw error
    return await route53.rewrite(zone, after, comment)
  }
}

/** Record sets are JSON, though their type does not say so. */
async function remember(context: ActionContext, idempotencyKey: string, noted: Note): Promise<void> {
  await writeNote(context, idempotencyKey, JSON.parse(JSON.stringify(noted)) as Json)
}

async function waitInSync(
  route53: Route53,
  changeId: string | undefined,
  { record }: Params,
  context: ActionContext,
  signal: AbortSignal,
): Promise<void> {
  if (changeId === undefined) return
  while (!(await route53.isInSync(changeId))) {
    const text = `the change ${changeId} of ${record} is not yet at every server of Route 53`
    context.progress({ step: context.step, text })
    await pause(context.clock, pollMs, signal, text)
  }
}

function wanted(p: Params): RecordSet {
  // TXT is written in quotes, which most people leave out.
  const asWritten = (value: string) => (p.type === 'TXT' && !value.startsWith('"') ? JSON.stringify(value) : value)
  return {
    Name: canonicalName(p.record),
    Type: p.type,
    TTL: ttlSeconds(p),
    ResourceRecords: values(p).map((value) => ({ Value: asWritten(value) })),
  }
}

function values({ value }: Params): string[] {
  return [value].flat()
}

function ttlSeconds({ ttl }: Params): number {
  return Math.round(parseDuration(ttl) / 1000)
}

function ofType(records: readonly RecordSet[], type: string): RecordSet | undefined {
  return records.find(({ Type }) => Type === type)
}

/** Why what stands there cannot be replaced by one plain record. */
function problemOf({ record, type }: Params, there: readonly RecordSet[]): string | undefined {
  if (there.some(({ Type, SetIdentifier }) => Type === type && SetIdentifier !== undefined))
    return `${record} is routed by a policy (weights, health checks or places): this action only writes plain records`
  const other = there.find(({ Type }) => Type !== type && (Type === 'CNAME' || type === 'CNAME'))
  return other === undefined ? undefined : `${record} has a ${other.Type} record: beside it there can be no ${type}`
}

function changedMeanwhile({ record, zone }: Params, current: RecordSet | undefined): HoldfastError {
  const says = current?.ResourceRecords?.map(({ Value }) => Value).join(', ') ?? (current === undefined ? 'nothing' : 'an alias')
  return new HoldfastError('identity-mismatch', {
    message: `somebody else has changed ${record} in ${zone} meanwhile: it says ${says}, and is left as it is`,
    hint: 'find out who, and set it by hand',
    details: { record, zone },
  })
}

function outcome({ before, ours }: Note) {
  const previous = before === null ? null : (before.ResourceRecords?.map(({ Value }) => Value) ?? 'alias')
  return {
    record: ours.Name,
    type: ours.Type,
    values: ours.ResourceRecords?.map(({ Value }) => Value) ?? [],
    ttlSeconds: ours.TTL ?? null,
    previous,
    previousTtlSeconds: before?.TTL ?? null,
  }
}

function fileOf({ record, type }: Params): string {
  return `${record.replaceAll(/[^\w.-]/g, '_')}-${type}-before.json`
}

/** The record, in JMESPath. Route 53 writes `*` as `\052`, others do not. */
function selected({ record, type }: Params): string {
  const name = canonicalName(record)
  const names = name.startsWith('*') ? [name.replace('*', String.raw`\052`), name] : [name]
  return `ResourceRecordSets[?(${names.map((one) => `Name=='${one}'`).join(' || ')}) && Type=='${type}']`
}

function list(p: Params, query: string): string {
  return awsLine(p, ['route53', 'list-resource-record-sets', '--hosted-zone-id', p.zone, '--query', query, '--output', 'json'])
}

/** Sends a change, `$change` when none is given, and waits until all servers have it. */
function applied(p: Params, change: string | undefined): string[] {
  const send = ['route53', 'change-resource-record-sets', '--hosted-zone-id', p.zone]
  const rest = ['--query', 'ChangeInfo.Id', '--output', 'text'].map(quote).join(' ')
  return [
    `id=$(${awsLine(p, send)} --change-batch ${change === undefined ? '"$change"' : quote(change)} ${rest})`,
    `${awsLine(p, ['route53', 'wait', 'resource-record-sets-changed'])} --id "$id"`,
  ]
}
