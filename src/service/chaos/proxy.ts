import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { createProxy, createToxiproxyServer, type Proxy } from '../../faults/index.ts'
import { HoldfastError, messageOf } from '../../kernel/index.ts'

export interface ProxyRoute {
  readonly name: string
  /** `HOST:PORT`; port 0 takes a free one. */
  readonly listen: string
  readonly upstream: string
}

export interface ProxyWanted {
  readonly api: { readonly host: string; readonly port: number }
  readonly routes: readonly ProxyRoute[]
}

/** Where everything is, once all of it listens. */
export interface ProxyEvent {
  readonly type: 'proxying'
  readonly api: string
  readonly proxies: readonly ProxyRoute[]
}

/**
 * Carries connections until the signal aborts, and breaks those that it is told to through its API. Throws `usage` when an address cannot be listened
 * at; then none is.
 */
export async function runChaosProxy(
  { api, routes }: ProxyWanted,
  onEvent: (event: ProxyEvent) => void,
  signal: AbortSignal,
): Promise<void> {
  await using opened = new AsyncDisposableStack()
  const proxies = new Map<string, Proxy>()
  for (const { name, listen, upstream } of routes) {
    const proxy = createProxy(name, listen, upstream)
    await listening(listen, () => proxy.enable())
    opened.defer(() => proxy.disable())
    proxies.set(name, proxy)
  }
  const server = createToxiproxyServer(proxies)
  await listening(`${api.host}:${api.port}`, async () => {
    server.listen(api.port, api.host)
    await once(server, 'listening')
  })
  opened.defer(() => {
    server.closeAllConnections()
    server.close()
  })
  // Those that were added through the API since.
  opened.defer(async () => void (await Promise.all([...proxies.values()].map((proxy) => proxy.disable()))))
  const { address, port, family } = server.address() as AddressInfo
  onEvent({
    type: 'proxying',
    api: `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`,
    proxies: [...proxies.values()].map(({ name, listen, upstream }) => ({ name, listen, upstream })),
  })
  if (!signal.aborted) await once(signal, 'abort')
}

async function listening(address: string, listen: () => Promise<unknown>): Promise<void> {
  try {
    await listen()
  } catch (cause) {
    throw new HoldfastError('usage', {
      message: `cannot listen at ${address}: ${messageOf(cause)}`,
      hint: 'give another address; port 0 takes a free one',
      cause,
    })
  }
}
