import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { createProxy, createToxiproxyServer, type Proxy } from '../../src/faults/index.ts'

/** Our own proxy of that name to an upstream, with its API. */
export async function startToxiproxy(upstream: string) {
  const proxy: Proxy = createProxy('echo', '127.0.0.1:0', upstream)
  await proxy.enable()
  const server = createToxiproxyServer(new Map([['echo', proxy]])).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    api: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    proxy,
    async [Symbol.asyncDispose]() {
      await proxy.disable()
      server.closeAllConnections()
      server.close()
    },
  }
}
