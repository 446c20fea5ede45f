import { z } from 'zod'
import { durationText, secretRef, type Catalog, type SecretRef } from '../catalog/index.ts'
import { formatDuration, HoldfastError, messageOf, parseDuration, type Json } from '../kernel/index.ts'
import { absolute, encodeValue, isWithin, types } from '../dns/index.ts'
import { done, notDone, unknown, type ActionContext, type Finding } from './contract.ts'
import { defineAction } from './define-action.ts'
import { readStanding, readZone, type Authority } from './dns/authority.ts'
import { manualUpdate } from './dns/manual.ts'
import { domainName, recordParams, refineValues } from './dns/record-params.ts'
import { assertFree, look, replace } from './dns/replace.ts'
import { asNoted, fromNoted, isSameRrset, notedRrset, rrsetText, valuesOf, type NotedRrset, type Rrset } from './dns/rrset.ts'
import { dnsServer, parseServer, reachOfServers, serverText } from './dns/server.ts'
import { tsigAlgorithms } from './dns/tsig.ts'
import { outputReference } from './param-types.ts'
import { readNote, writeNote } from './step-notes.ts'

const longestTtlMs = 365 * 86_400_000

const params = z
  .strictObject({
    server: dnsServer.describe('The zone’s primary server: HOST, HOST:PORT or [IPv6]:PORT.'),
    zone: domainName.describe('The zone that is changed, such as example.com.'),
    ...recordParams,
    ttl: durationText.describe('For how long others may remember it: whole seconds.').default('60s'),
    key: z
      .strictObject({
        name: domainName.describe('The key’s name, as the server knows it.'),
        algorithm: z.enum(tsigAlgorithms).describe('The same as the server’s.').default('hmac-sha256'),
        secret: (secretRef as unknown as z.ZodType<SecretRef>).describe(
          'Where its secret is, in base64 as tsig-keygen prints it.',
        ),
      })
      .describe('The TSIG key that signs the update.'),
    transport: z
      .enum(['tcp', 'udp'])
      .describe('How it is sent. A message that is too large for UDP goes over TCP.')
      .default('tcp'),
    maxTtl: durationText
      .describe(
        'Preflight warns when the record that is there now may be remembered for longer: so long clients keep the old one.',
      )
      .default('5m'),
    queryTimeout: durationText.describe('For one exchange with the server.').default('5s'),
  })
  .refine(({ record, zone }) => isWithin(record, zone), { message: "'record' is not in 'zone'" })
  .refine(({ ttl }) => parseDuration(ttl) % 1000 === 0 && parseDuration(ttl) <= longestTtlMs, {
    message: "'ttl' is whole seconds, and a year at most",
  })
  .superRefine(refineValues)

type Params = z.infer<typeof params>

/** What stood there before the step changed it. */
const note = z.strictObject({ before: notedRrset, negativeTtl: z.int() })

/** Changes a record of a zone by dynamic update, in one message that is refused when something else stands there than was noted before. */
export const dnsUpdate = defineAction<Params>({
  kind: 'dns.update',
  description:
    'Changes a DNS record at the zone’s primary server by dynamic update (RFC 2136), signed with a TSIG key (RFC 8945). All records of the name and type are replaced. What stood there is noted first, and the update is made only if that still stands there; the undo restores it exactly, unless somebody else has changed it meanwhile. The server is read back. Preflight shows that the server is the zone’s, that the key may change this record, and for how long clients will keep the old one. Outputs: `name`, `type`, `values`, `ttl`, `before`, `changed`, and `staleUntil`, by when the old one is forgotten everywhere (see dns.check).',
  example: {
    server: 'ns1.example.com',
    zone: 'example.com',
    record: 'api.example.com',
    type: 'A',
    values: ['10.0.2.100'],
    ttl: '60s',
    key: { name: 'failover', secret: { file: '/etc/holdfast/dns-key' } },
  },
  effect: 'reversible',
  params,

  async preflight(p, context, signal) {
    if (outputReference.test(p.server)) return []
    const authority = await authorityOf(p, context, signal)
    const { negativeTtl } = await readZone(authority, signal)
    const found = await look(authority, placeOf(p), signal)
    assertFree(placeOf(p), found)
    return ttlFindings(p, found.rrset, negativeTtl)
  },

  async probe(p, context, { signal, idempotencyKey, previous }) {
    const noted = await readNote(context, idempotencyKey, note)
    let present: Rrset | undefined
    try {
      const authority = await authorityOf(p, context, signal)
      present = (await look(authority, placeOf(p), signal)).rrset
    } catch (error) {
      signal.throwIfAborted()
      // Nothing is sent before the note is written.
      if (noted === undefined) return notDone
      return unknown(`${absolute(p.record)} cannot be read: ${messageOf(error)}`)
    }
    if (isSameRrset(present, wantedOf(p))) return done(outcome(p, noted, context))
    if (previous === 'none' || noted === undefined || isSameRrset(present, fromNoted(noted.before))) return notDone
    return unknown(
      `${absolute(p.record)} is ${rrsetText(types[p.type], present)}, which is neither what it was nor what it is to be: somebody else changes it`,
    )
  },

  async run(p, context, { signal, idempotencyKey }) {
    const authority = await authorityOf(p, context, signal)
    const [place, wanted] = [placeOf(p), wantedOf(p)]
    const { negativeTtl } = await readZone(authority, signal)
    const found = await look(authority, place, signal)
    assertFree(place, found)
    if (isSameRrset(found.rrset, wanted)) return outcome(p, await readNote(context, idempotencyKey, note), context)
    const noted = { before: asNoted(found.rrset), negativeTtl }
    await writeNote(context, idempotencyKey, noted)
    if (!(await replace(authority, place, found.rrset, wanted, signal))) throw changedMeanwhile(p)
    const { rrset } = await readStanding(authority, p.record, types[p.type], signal)
    if (isSameRrset(rrset, wanted)) return outcome(p, noted, context)
    throw new HoldfastError('command-failed', {
      message: `${serverText(authority.server)} accepted the update, and yet ${absolute(p.record)} is ${rrsetText(types[p.type], rrset)}`,
      hint: 'see its log; another update may have come right after this one',
    })
  },

  async undo(p, _output, context, { signal, idempotencyKey }) {
    const noted = await readNote(context, idempotencyKey, note)
    if (noted === undefined) return
    const authority = await authorityOf(p, context, signal)
    const before = fromNoted(noted.before)
    const { rrset } = await look(authority, placeOf(p), signal)
    if (isSameRrset(rrset, before)) return
    const isOurs = isSameRrset(rrset, wantedOf(p))
    if (isOurs && (await replace(authority, placeOf(p), rrset, before, signal))) return
    throw new HoldfastError('identity-mismatch', {
      message: `${absolute(p.record)} was changed by somebody else since${isOurs ? '' : `, to ${rrsetText(types[p.type], rrset)}`}: it is left as it is`,
      hint: `before the step it was ${rrsetText(types[p.type], before)}: decide which is right`,
    })
  },

  reach: ({ server }) => reachOfServers([server]),
  manual: (p, catalog) => commands(p, catalog).update,
  manualUndo: (p, catalog) => commands(p, catalog).undo,
})

async function authorityOf(p: Params, context: ActionContext, signal: AbortSignal): Promise<Authority> {
  const server = parseServer(p.server)
  if (server === undefined)
    throw new HoldfastError('usage', { message: `${p.server} is not a DNS server: HOST, HOST:PORT or [IPv6]:PORT` })
  const secret = (await context.resolveSecret(p.key.secret, signal)).reveal()
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(secret)) {
    throw new HoldfastError('secret-unavailable', {
      message: `the secret of the DNS key ${p.key.name} is not base64`,
      hint: 'it is what stands behind `secret` in what tsig-keygen prints, without the quotes',
    })
  }
  return {
    server,
    zone: p.zone,
    key: { name: p.key.name, algorithm: p.key.algorithm, secret: Buffer.from(secret, 'base64') },
    transport: p.transport,
    timeoutMs: parseDuration(p.queryTimeout),
    clock: context.clock,
  }
}

function placeOf({ record, type }: Params): { readonly name: string; readonly type: Params['type'] } {
  return { name: record, type }
}

function wantedOf({ type, values, ttl }: Params): Rrset {
  const records = new Map([values].flat().map((value) => [encodeValue(type, value).toString('hex'), encodeValue(type, value)]))
  return { ttl: parseDuration(ttl) / 1000, records: [...records.values()] }
}

/** Until when others may still answer with what was there before: from now on, as it cannot be known since when it is gone. */
function outcome(p: Params, noted: { before: NotedRrset; negativeTtl: number } | undefined, { clock }: ActionContext): Json {
  const before = fromNoted(noted?.before ?? null)
  const staleSeconds = noted === undefined ? 0 : (before?.ttl ?? noted.negativeTtl)
  return {
    name: absolute(p.record),
    type: p.type,
    values: valuesOf(types[p.type], wantedOf(p)),
    ttl: parseDuration(p.ttl) / 1000,
    before: before === undefined ? null : { values: valuesOf(types[p.type], before), ttl: before.ttl },
    changed: noted !== undefined,
    staleUntil: new Date(clock.now().getTime() + staleSeconds * 1000).toISOString(),
  }
}

function ttlFindings(p: Params, present: Rrset | undefined, negativeTtl: number): Finding[] {
  const presentMs = (present?.ttl ?? negativeTtl) * 1000
  if (presentMs <= parseDuration(p.maxTtl)) return []
  const values = valuesOf(types[p.type], present).join(', ')
  const [remembered, because] =
    present === undefined ? ['that it does not exist', 'so the zone says'] : [values, 'that is its TTL']
  return [
    {
      severity: 'warning',
      code: 'dns-ttl-long',
      message: `when ${absolute(p.record)} changes, clients may remember ${remembered} for another ${formatDuration(presentMs)}: ${because}, and ${p.maxTtl} is the most that is wanted`,
      hint:
        present === undefined
          ? 'let the record exist, or lower the last number of the zone’s SOA'
          : 'lower the TTL of the record now, well before it must change',
    },
  ]
}

function changedMeanwhile({ record }: Params): HoldfastError {
  return new HoldfastError('command-failed', {
    message: `${absolute(record)} was changed by somebody else while the step was about to change it: nothing was done`,
    hint: 'see who else changes it; then run the step again',
    retryable: true,
  })
}

function commands(p: Params, catalog: Catalog | undefined): { readonly update: string[]; readonly undo: string[] } {
  return manualUpdate({ ...p, ttl: parseDuration(p.ttl) / 1000, values: [p.values].flat() }, catalog)
}
