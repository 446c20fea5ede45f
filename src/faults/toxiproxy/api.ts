import { createServer, type IncomingMessage, type Server } from 'node:http'
import { z } from 'zod'
import { messageOf } from '../../kernel/index.ts'
import { createProxy, parseAddress, type Proxy } from './proxy.ts'
import { isToxicType, makeToxic, type Toxic } from './toxic.ts'

/** An answer: the status, and what is sent as JSON. */
type Answer = readonly [status: number, body?: unknown]
type Body = Readonly<Record<string, unknown>>

class Refusal extends Error {
  readonly status: number
  constructor(status: number, message: string) {
    super(message)
    this.status = status
  }
}

/**
 * Toxiproxy's HTTP interface (its README, "HTTP API"), of version 2: what its clients do with it works with these proxies. In addition a toxic may
 * carry `holdfast_expires_ms`: after so many milliseconds it removes itself, whatever has become of whoever added it.
 */
export function createToxiproxyServer(proxies: Map<string, Proxy>): Server {
  const expiries = new Map<string, NodeJS.Timeout>()
  return createServer((request, response) => {
    void answer(request, proxies, expiries)
      .catch((error: unknown): Answer => {
        const status = error instanceof Refusal ? error.status : 500
        return [status, { error: messageOf(error), title: messageOf(error), status }]
      })
      .then(([status, body]) => {
        response.writeHead(status, { 'content-type': 'application/json' })
        response.end(body === undefined ? undefined : JSON.stringify(body))
      })
  })
}

async function answer(
  request: IncomingMessage,
  proxies: Map<string, Proxy>,
  expiries: Map<string, NodeJS.Timeout>,
): Promise<Answer> {
  // A page in a browser must not be able to break anything: Toxiproxy refuses those too.
  if (request.headers['user-agent']?.startsWith('Mozilla/') === true) throw new Refusal(403, 'User agent not allowed')
  const [, collection, name, part, toxicName] = (request.url ?? '').split('?')[0]!.split('/').map(decodeURIComponent)
  const method = request.method ?? 'GET'
  const read = method === 'POST' || method === 'PATCH' ? await readBody(request) : {}
  if (collection === 'version' && method === 'GET') return [200, { version: '2.9.0' }]
  if (collection === 'reset' && method === 'POST') return await reset(proxies)
  if (collection === 'populate' && method === 'POST') return await populate(read, proxies)
  if (collection !== 'proxies') throw new Refusal(404, 'not found')
  if (name === undefined) {
    if (method === 'GET') return [200, Object.fromEntries([...proxies].map(([name, proxy]) => [name, shown(proxy)]))]
    if (method === 'POST') return [201, shown(await add(read as Body, proxies))]
    throw new Refusal(405, 'method not allowed')
  }
  const proxy = proxies.get(name)
  if (proxy === undefined) throw new Refusal(404, 'proxy not found')
  if (part === undefined) return await onProxy(method, proxy, read as Body, proxies)
  if (part !== 'toxics') throw new Refusal(404, 'not found')
  return onToxics(method, proxy, toxicName, read as Body, expiries)
}

async function onProxy(method: string, proxy: Proxy, body: Body, proxies: Map<string, Proxy>): Promise<Answer> {
  if (method === 'GET') return [200, shown(proxy)]
  if (method === 'DELETE') {
    await proxy.disable()
    proxies.delete(proxy.name)
    return [204]
  }
  if (method !== 'POST' && method !== 'PATCH') throw new Refusal(405, 'method not allowed')
  await proxy.moveTo(addressIn(body, 'listen') ?? proxy.listen, addressIn(body, 'upstream') ?? proxy.upstream)
  if (body.enabled === true) await proxy.enable()
  if (body.enabled === false) await proxy.disable()
  return [200, shown(proxy)]
}

function onToxics(
  method: string,
  proxy: Proxy,
  name: string | undefined,
  body: Body,
  expiries: Map<string, NodeJS.Timeout>,
): Answer {
  const without = (removed: string) => proxy.set(proxy.toxics.filter((toxic) => toxic.name !== removed))
  if (name === undefined) {
    if (method === 'GET') return [200, proxy.toxics]
    if (method !== 'POST') throw new Refusal(405, 'method not allowed')
    const toxic = toxicIn(body, undefined)
    if (proxy.toxics.some((known) => known.name === toxic.name)) throw new Refusal(409, 'toxic already exists')
    proxy.set([...proxy.toxics, toxic])
    const { holdfast_expires_ms: expiresMs } = body
    if (typeof expiresMs === 'number') {
      const key = `${proxy.name}/${toxic.name}`
      clearTimeout(expiries.get(key))
      expiries.set(
        key,
        setTimeout(() => without(toxic.name), expiresMs),
      )
    }
    return [200, toxic]
  }
  const toxic = proxy.toxics.find((known) => known.name === name)
  if (toxic === undefined) throw new Refusal(404, 'toxic not found')
  if (method === 'GET') return [200, toxic]
  if (method === 'DELETE') {
    without(name)
    return [204]
  }
  if (method !== 'POST' && method !== 'PATCH') throw new Refusal(405, 'method not allowed')
  const changed = toxicIn(body, toxic)
  proxy.set(proxy.toxics.map((known) => (known.name === name ? changed : known)))
  return [200, changed]
}

function toxicIn(body: Body, before: Toxic | undefined): Toxic {
  const { type = before?.type ?? '', stream = before?.stream ?? 'downstream', toxicity = before?.toxicity ?? 1 } = body
  if (typeof type !== 'string' || !isToxicType(type)) throw new Refusal(400, 'invalid toxic type')
  if (stream !== 'upstream' && stream !== 'downstream')
    throw new Refusal(400, 'stream was invalid, can be either upstream or downstream')
  const { name = before?.name ?? `${type}_${stream}`, attributes = {} } = body
  try {
    const share = z.number().min(0).max(1).parse(toxicity)
    const all = { ...before?.attributes, ...z.record(z.string(), z.unknown()).parse(attributes) }
    return makeToxic(type, { name: z.string().parse(name), stream, toxicity: share, attributes: all })
  } catch {
    throw new Refusal(400, 'bad request body')
  }
}

async function add(body: Body, proxies: Map<string, Proxy>): Promise<Proxy> {
  const { name, enabled = true } = body
  if (typeof name !== 'string' || name === '') throw new Refusal(400, 'missing required field: name')
  const [listen = '127.0.0.1:0', upstream] = [addressIn(body, 'listen'), addressIn(body, 'upstream')]
  if (upstream === undefined) throw new Refusal(400, 'missing required field: upstream')
  if (proxies.has(name)) throw new Refusal(409, 'proxy already exists')
  const proxy = createProxy(name, listen, upstream)
  if (enabled !== false) await proxy.enable()
  proxies.set(name, proxy)
  return proxy
}

async function populate(list: unknown, proxies: Map<string, Proxy>): Promise<Answer> {
  if (!Array.isArray(list)) throw new Refusal(400, 'bad request body')
  const made: Proxy[] = []
  for (const body of list as Body[]) {
    const known = proxies.get(String(body.name))
    if (known?.listen === body.listen && known?.upstream === body.upstream && known !== undefined) made.push(known)
    else {
      await known?.disable()
      proxies.delete(String(body.name))
      made.push(await add(body, proxies))
    }
  }
  return [201, { proxies: made.map(shown) }]
}

async function reset(proxies: Map<string, Proxy>): Promise<Answer> {
  for (const proxy of proxies.values()) {
    proxy.set([])
    await proxy.enable()
  }
  return [204]
}

function shown({ name, listen, upstream, enabled, toxics }: Proxy) {
  return { name, listen, upstream, enabled, toxics }
}

function addressIn(body: Body, member: 'listen' | 'upstream'): string | undefined {
  const { [member]: address } = body
  if (address === undefined || address === '') return undefined
  if (typeof address === 'string' && parseAddress(address) !== undefined) return address
  throw new Refusal(400, `bad address: ${member}`)
}

async function readBody(request: IncomingMessage): Promise<unknown> {
  const parts: Buffer[] = []
  for await (const part of request) parts.push(part as Buffer)
  const text = Buffer.concat(parts).toString()
  try {
    return text === '' ? {} : (JSON.parse(text) as unknown)
  } catch {
    throw new Refusal(400, 'bad request body')
  }
}
