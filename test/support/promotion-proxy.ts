import { proxyBefore, type Proxy } from './tcp-proxy.ts'

/** A proxy before a standby on the loopback that says when pg_promote has been sent to it, in the very moment that it passes. */
export async function promotionProxy(serverPort: number, onPromote: () => void): Promise<Proxy> {
  return await proxyBefore(serverPort, (client, onward) => {
    const server = onward()
    client.on('data', (bytes) => {
      server.write(bytes)
      if (bytes.includes('pg_promote(')) onPromote()
    })
    server.on('data', (bytes) => client.write(bytes))
  })
}
