import { z } from 'zod'
import { durationText, sizeText } from '../catalog/index.ts'
import { blocker, HoldfastError, messageOf, parseDuration } from '../kernel/index.ts'
import { absent, partly, present, type Sight } from './contract.ts'
import { defineFault } from './define-fault.ts'
import { bytesOf } from './size.ts'
import { ask } from './toxiproxy/client.ts'

const toxicParam = z
  .union([
    z.strictObject({
      latency: z
        .strictObject({
          delay: durationText.describe('What is sent arrives that much later.'),
          jitter: durationText.describe('More or less by up to that much.').default('0ms'),
        })
        .describe('Everything arrives later.'),
    }),
    z.strictObject({ bandwidth: sizeText.describe('At most that much a second.') }),
    z.strictObject({ slowClose: durationText.describe('The end of the connection arrives that much later.') }),
    z.strictObject({
      timeout: durationText.describe('Nothing arrives any more, and the connection ends after that time; 0s: it stays.'),
    }),
    z.strictObject({ resetPeer: durationText.describe('After that time the connection is reset (RST).') }),
    z.strictObject({
      slicer: z
        .strictObject({
          averageSize: sizeText.describe('Of the pieces.'),
          sizeVariation: sizeText.describe('More or less by up to that much.').default('0B'),
          delay: durationText.describe('Between two pieces.').default('0ms'),
        })
        .describe('What is sent arrives in small pieces.'),
    }),
    z.strictObject({ limitData: sizeText.describe('After that much, counted from the connection’s beginning, it ends.') }),
  ])
  .meta({ expected: 'one of latency, bandwidth, slowClose, timeout, resetPeer, slicer and limitData' })

type ToxicParam = z.infer<typeof toxicParam>

const params = z.strictObject({
  api: z
    .url()
    .describe('Where the proxy is told: Holdfast’s own (`holdfast chaos proxy`) or a Toxiproxy, as http://127.0.0.1:8474.'),
  proxy: z.string().min(1).describe('The name of the proxy that the connections go through.'),
  toxic: toxicParam.describe('What happens to them.'),
  stream: z
    .enum(['downstream', 'upstream'])
    .describe('On the way to the client, or on the way to the server.')
    .default('downstream'),
  percent: z.number().gt(0).max(100).describe('How many of a hundred connections are hit: 0 to 100.').default(100),
})

type Params = z.infer<typeof params>

const traces = z.strictObject({ api: z.string(), proxy: z.string(), name: z.string() })

/** What goes through a TCP proxy is slowed, cut or broken. */
export const tcpToxic = defineFault<Params, z.infer<typeof traces>>({
  kind: 'tcp.toxic',
  description:
    'Slows, cuts or breaks the connections that go through a TCP proxy, those that there are and new ones: by a toxic, named after the injection, in Holdfast’s own proxy or in a Toxiproxy. In Holdfast’s own it removes itself at the deadline. It needs no rights, and no support of the kernel: the clients must have been told to go through the proxy.',
  example: { api: 'http://127.0.0.1:8474', proxy: 'orders-db', toxic: { latency: { delay: '200ms', jitter: '50ms' } } },
  params,
  traces,
  expiry: 'by-itself',

  async preflight({ api, proxy }, _context, signal) {
    try {
      const { status } = await ask(api, 'GET', pathOf(proxy), undefined, signal)
      if (status === 200) return []
      return [blocker('no-proxy', `${api} has no proxy ${proxy} (status ${status})`)]
    } catch (error) {
      signal.throwIfAborted()
      return [blocker('no-proxy', messageOf(error), 'start `holdfast chaos proxy`, or a Toxiproxy')]
    }
  },

  async plan({ api, proxy, toxic, stream }, { id }) {
    const [type = ''] = Object.keys(toxic)
    return { targets: [`proxy ${proxy} of ${api} (${type}, ${stream})`], traces: { api, proxy, name: `holdfast-${id}` } }
  },

  async inject({ toxic, stream, percent }, { api, proxy, name }, { deadlineMs, clock }, signal) {
    const body = {
      ...toxicBody(toxic),
      name,
      stream,
      toxicity: percent / 100,
      holdfast_expires_ms: Math.max(0, Math.round(deadlineMs - clock.monotonicMs())),
    }
    const { status, text } = await ask(api, 'POST', `${pathOf(proxy)}/toxics`, body, signal)
    if (status !== 200)
      throw new HoldfastError('fault-failed', { message: `the proxy refuses the toxic (status ${status}): ${text}` })
  },

  look: async ({ api, proxy, name }, _context, signal) =>
    sightOf(await ask(api, 'GET', `${pathOf(proxy)}/toxics/${name}`, undefined, signal)),

  async undo({ api, proxy, name }, _context, signal) {
    const { status, text } = await ask(api, 'DELETE', `${pathOf(proxy)}/toxics/${name}`, undefined, signal)
    if (status !== 204 && status !== 404 && status !== 0)
      throw new HoldfastError('command-failed', {
        message: `the proxy does not remove the toxic (status ${status}): ${text}`,
        retryable: true,
      })
  },

  manualUndo: ({ api, proxy, name }) => [`curl -X DELETE ${api}${pathOf(proxy)}/toxics/${name}`],
})

/** 0: nobody listens there any more, so no toxic is there either. */
function sightOf({ status, text }: { status: number; text: string }): Sight {
  if (status === 200) return present
  return status === 404 || status === 0 ? absent : partly(`the proxy answers with status ${status}: ${text}`)
}

function pathOf(proxy: string): string {
  return `/proxies/${encodeURIComponent(proxy)}`
}

/** In Toxiproxy's names and units. */
function toxicBody(toxic: ToxicParam): { type: string; attributes: Record<string, number> } {
  if ('latency' in toxic) {
    const { delay, jitter } = toxic.latency
    return { type: 'latency', attributes: { latency: parseDuration(delay), jitter: parseDuration(jitter) } }
  }
  if ('bandwidth' in toxic) return { type: 'bandwidth', attributes: { rate: bytesOf(toxic.bandwidth) / 1000 } }
  if ('slowClose' in toxic) return { type: 'slow_close', attributes: { delay: parseDuration(toxic.slowClose) } }
  if ('timeout' in toxic) return { type: 'timeout', attributes: { timeout: parseDuration(toxic.timeout) } }
  if ('resetPeer' in toxic) return { type: 'reset_peer', attributes: { timeout: parseDuration(toxic.resetPeer) } }
  if ('limitData' in toxic) return { type: 'limit_data', attributes: { bytes: bytesOf(toxic.limitData) } }
  const { averageSize, sizeVariation, delay } = toxic.slicer
  const sizes = { average_size: bytesOf(averageSize), size_variation: bytesOf(sizeVariation) }
  return { type: 'slicer', attributes: { ...sizes, delay: parseDuration(delay) * 1000 } }
}
