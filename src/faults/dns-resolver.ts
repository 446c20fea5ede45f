import { isIP } from 'node:net'
import { z } from 'zod'
import { absolutePath } from '../catalog/index.ts'
import { blocker, hostPortText, HoldfastError, parseHostPort, type HostPort } from '../kernel/index.ts'
import { workerEntry } from '../threads/index.ts'
import { absent, partly, present, type Sight, type TraceContext } from './contract.ts'
import { defineFault } from './define-fault.ts'
import { effectParam, namePattern, type Effect } from './dns/effect.ts'
import { isEffective, isOurs } from './dns/look.ts'
import {
  isPointed,
  leftBeside,
  nameserversOf,
  pointAt,
  pointBack,
  pointBackByHand,
  resolvConfFindings,
} from './dns/resolv-conf.ts'
import { startHolder } from './holder/start.ts'
import { endMarkedByHand, markedProcesses } from './mark.ts'

const dnsPort = 53
const address = z
  .string()
  .refine((text) => isIP(parseHostPort(text, dnsPort)?.host ?? '') !== 0, 'expected an address, ADDRESS:PORT or [IPv6]:PORT')

const params = z
  .strictObject({
    listen: address.describe('Where it answers, over UDP and TCP: an address of this machine, with a port if that is not 53.'),
    upstream: address
      .describe('Who knows the right answers. Without it the first name server of `resolvConf`, or of /etc/resolv.conf.')
      .optional(),
    names: z
      .array(namePattern)
      .min(1)
      .describe('Which names are hit: api.example.com, or *.example.com for all below it. Without them all.')
      .optional(),
    effect: effectParam.describe('What happens to questions for them.'),
    percent: z.number().gt(0).max(100).describe('How many of a hundred of these questions are hit: 0 to 100.').default(100),
    resolvConf: absolutePath
      .describe(
        'A file as resolv.conf(5) that is to name this resolver and no other, and is put back at the end, unless somebody else has written it since. Without it, those who ask must have been told.',
      )
      .optional(),
  })
  .refine(({ listen, resolvConf }) => resolvConf === undefined || parseHostPort(listen, dnsPort)?.port === dnsPort, {
    path: ['listen'],
    message: 'resolv.conf knows no ports: expected port 53',
  })

interface Params {
  readonly listen: string
  readonly upstream?: string | undefined
  readonly names?: string[] | undefined
  readonly effect: Effect
  readonly percent: number
  readonly resolvConf?: string | undefined
}

const traces = z.strictObject({
  listen: z.string(),
  names: z.array(z.string()),
  effect: effectParam,
  percent: z.number(),
  resolvConf: z.string().optional(),
})

type Traces = z.infer<typeof traces>

const holder = () => workerEntry('dns/resolver-worker', import.meta.url)

/** Names lead to the wrong place, to none, or slowly. */
export const dnsResolver = defineFault<Params, Traces>({
  kind: 'dns.resolver',
  description:
    'Runs a resolver that gives wrong answers, fails, or is slow for some names or all, and asks another one for the rest. It ends with the experiment. A file named in `resolvConf` points at it meanwhile; should both Holdfast and its watchdog be killed, that file stays until the next sweep. The resolver is asked whether it is there: for its identity, and for a name that is hit.',
  example: { listen: '127.0.0.53:5353', upstream: '10.0.0.2', names: ['*.db.internal'], effect: { fail: 'SERVFAIL' } },
  params,
  traces,
  expiry: 'never',
  holder,

  async preflight(p) {
    const found = p.resolvConf === undefined ? [] : await resolvConfFindings(p.resolvConf)
    if (found.length > 0) return found
    const upstream = await upstreamOf(p)
    if (upstream === undefined) {
      const hint = 'name it in `upstream`'
      return [blocker('no-upstream', 'there is no name server that knows the right answers', hint)]
    }
    if (hostPortText(upstream) !== hostPortText(hostPort(p.listen))) return []
    return [blocker('own-upstream', `${p.listen} would ask itself`, 'name another in `upstream`')]
  },

  async plan({ listen, names = [], effect, percent, resolvConf }) {
    const which = names.length === 0 ? 'all names' : names.join(', ')
    const file = resolvConf === undefined ? {} : { resolvConf }
    return {
      targets: [`${which} at ${hostPortText(hostPort(listen))}${resolvConf === undefined ? '' : ` and in ${resolvConf}`}`],
      traces: { listen, names, effect, percent, ...file },
    }
  },

  async inject(p, { names, resolvConf }, context, signal) {
    const upstream = await upstreamOf(p)
    const listen = hostPort(p.listen)
    const { effect, percent } = p
    const task = { identity: identityOf(context.id), listen, names, effect, percent, ...(upstream && { upstream }) }
    await startHolder(holder(), task, context, signal)
    if (resolvConf !== undefined) await pointAt(resolvConf, listen.host, context.id)
  },

  look: lookAtResolver,

  // The resolver has been ended by its mark.
  async undo({ resolvConf }, { id }) {
    if (resolvConf !== undefined) await pointBack(resolvConf, id)
  },

  manualUndo: ({ resolvConf }, id) => [
    ...(resolvConf === undefined ? [] : [pointBackByHand(resolvConf, id)]),
    endMarkedByHand(id),
  ],
})

async function lookAtResolver(trace: Traces, { id }: TraceContext, signal: AbortSignal): Promise<Sight> {
  const { resolvConf } = trace
  const server = hostPort(trace.listen)
  const isPointing = resolvConf === undefined ? undefined : await isPointed(resolvConf, id)
  if ((await markedProcesses(id)).length === 0) {
    if (isPointing === true) return partly(`${resolvConf} names a resolver that is gone`)
    const left = resolvConf !== undefined && (await leftBeside(resolvConf, id))
    return left ? partly(`there are files of ours beside ${resolvConf}`) : absent
  }
  if (!(await isOurs(server, identityOf(id), signal))) return partly(`the resolver does not answer at ${trace.listen}`)
  if (isPointing === false) return partly(`${resolvConf} does not name the resolver`)
  // By chance, an answer may be right.
  if (trace.percent < 100) return present
  const wrong = await isEffective(server, trace, id, signal)
  return wrong === undefined ? present : partly(wrong)
}

async function upstreamOf({ upstream, resolvConf = '/etc/resolv.conf' }: Params): Promise<HostPort | undefined> {
  const [first] = upstream === undefined ? await nameserversOf(resolvConf) : [upstream]
  return first === undefined ? undefined : parseHostPort(first, dnsPort)
}

function hostPort(text: string): HostPort {
  const parsed = parseHostPort(text, dnsPort)
  if (parsed === undefined) throw new HoldfastError('usage', { message: `${text} is no address` })
  return parsed
}

function identityOf(id: string): string {
  return `holdfast-${id}`
}
