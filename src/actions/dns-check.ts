import { z } from 'zod'
import { durationText } from '../catalog/index.ts'
import { formatDuration, HoldfastError, parseDuration, type Json, quote } from '../kernel/index.ts'
import { absolute, askServer, normalValue, type Said } from '../dns/index.ts'
import type { Finding } from './contract.ts'
import { defineAction } from './define-action.ts'
import { recordParams, refineValues } from './dns/record-params.ts'
import { dnsServer, parseServer, reachOfServers } from './dns/server.ts'
import { outputReference } from './param-types.ts'

const params = z
  .strictObject({
    servers: z
      .array(dnsServer)
      .min(1)
      .describe('Who is asked, over UDP: resolvers that clients use, the zone’s own servers. All must give the values.'),
    ...recordParams,
    match: z
      .enum(['exactly', 'including'])
      .describe('exactly: these values and no others. including: these, and perhaps others.')
      .default('exactly'),
    staleUntil: z
      .string()
      .refine((time) => outputReference.test(time) || z.iso.datetime().safeParse(time).success)
      .meta({ expected: 'a time such as 2026-11-22T14:30:00Z, or an output of an earlier step' })
      .describe(
        'It does not pass before this time, by when resolvers that nobody listed have forgotten the old value too: ${steps.dns.staleUntil}.',
      )
      .optional(),
    queryTimeout: durationText.describe('For the answer of one server.').default('5s'),
  })
  .superRefine(refineValues)

type Params = z.infer<typeof params>

interface Heard {
  readonly server: string
  readonly said: Said
}

/** Asks servers as clients do. A resolver that still remembers the old value fails it, and is told by how long it will. */
export const dnsCheck = defineAction<Params>({
  kind: 'dns.check',
  description:
    'Asks DNS servers, as any client would, whether a name has the values it should have. Resolvers remember: it passes only when every listed one gives the new values, and its failure says which do not, and for how long they may go on. With `staleUntil` it also waits for the caches of those who are not listed. As the `check` of dns.update it is asked until it passes. Outputs: `name`, `type`, `values`, `servers`.',
  example: {
    servers: ['9.9.9.9', 'ns2.example.com'],
    record: 'api.example.com',
    type: 'A',
    values: ['10.0.2.100'],
    staleUntil: '${steps.dns.staleUntil}',
  },
  effect: 'read-only',
  params,

  async preflight(p, _context, signal) {
    const heard = await hear({ ...p, servers: p.servers.filter((server) => !outputReference.test(server)) }, signal)
    return heard.flatMap(({ server, said }): Finding[] => {
      if (said.kind !== 'silent' && said.kind !== 'refused') return []
      return [
        {
          severity: 'warning',
          code: 'dns-server-silent',
          message: `${server} does not answer for ${absolute(p.record)}: ${said.because}`,
          hint: 'the step will fail unless it does by then',
        },
      ]
    })
  },

  async run(p, { clock }, { signal }) {
    const heard = await hear(p, signal)
    const wrong = heard.filter(({ said }) => !fits(p, said))
    const staleMs = p.staleUntil === undefined ? 0 : Date.parse(p.staleUntil) - clock.now().getTime()
    const problems = [
      ...wrong.map(({ server, said }) => `${server} ${inWords(said)}`),
      ...(staleMs > 0 ? [`others may remember what it was for another ${formatDuration(staleMs)}`] : []),
    ]
    if (problems.length > 0) throw notEverywhere(p, problems, wrong, staleMs)
    return {
      name: absolute(p.record),
      type: p.type,
      values: [p.values].flat(),
      servers: heard.map(({ server, said }): Json => ({
        server,
        ...('remainingSeconds' in said ? { ttl: said.remainingSeconds ?? null } : {}),
      })),
    }
  },

  reach: ({ servers }) => reachOfServers(servers),
  manual: ({ servers, record, type, values }) =>
    servers.map((server) => {
      const { host, port } = parseServer(server) ?? { host: server, port: 53 }
      return `dig @${quote(host)} -p ${port} +noall +answer ${quote(absolute(record))} ${type}   # expect ${[values].flat().join(' and ')}; the number is for how many seconds it is remembered`
    }),
})

async function hear(p: Params, signal: AbortSignal): Promise<Heard[]> {
  return await Promise.all(
    p.servers.map(async (server) => {
      const where = parseServer(server)
      if (where === undefined)
        throw new HoldfastError('usage', { message: `${server} is not a DNS server: HOST, HOST:PORT or [IPv6]:PORT` })
      return { server, said: await askServer(where, p.record, p.type, parseDuration(p.queryTimeout), signal) }
    }),
  )
}

function fits({ type, values, match }: Params, said: Said): boolean {
  if (said.kind !== 'values') return false
  const found = new Set(said.values.map((value) => (type === 'CNAME' ? value.toLowerCase() : value)))
  const wanted = new Set([values].flat().map((value) => normalValue(type, value)))
  return wanted.isSubsetOf(found) && (match === 'including' || found.size === wanted.size)
}

function inWords(said: Said): string {
  if (said.kind === 'silent') return `does not answer: ${said.because}`
  if ('because' in said) return `answers ${said.because}`
  const rest = said.remainingSeconds === undefined ? '' : `, for up to another ${formatDuration(said.remainingSeconds * 1000)}`
  return 'values' in said ? `says ${said.values.join(', ')}${rest}` : `says that it does not exist${rest}`
}

function notEverywhere(
  { record, values }: Params,
  problems: readonly string[],
  wrong: readonly Heard[],
  staleMs: number,
): HoldfastError {
  const remaining = wrong.flatMap(({ said }) => ('remainingSeconds' in said ? [said.remainingSeconds ?? 0] : []))
  const remainingSeconds = Math.ceil(Math.max(0, ...remaining, staleMs / 1000))
  return new HoldfastError('command-failed', {
    message: `${absolute(record)} is not ${[values].flat().join(', ')} for everybody: ${problems.join('; ')}`,
    hint:
      remainingSeconds > 0
        ? `ask again after ${formatDuration(remainingSeconds * 1000)}; your own resolvers can be told to forget, as by \`rndc flushname\``
        : 'see what the servers of the zone have',
    retryable: true,
    details: { remainingSeconds },
  })
}
