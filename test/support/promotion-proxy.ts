import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'

export interface PromotionProxy extends AsyncDisposable {
  readonly port: number
}

/** A proxy before a standby on the loopback that says when pg_promote has been sent to it, in the very moment that it passes. */
export async function promotionProxy(serverPort: number, onPromote: () => void): Promise<PromotionProxy> {
  const sockets = new Set<Socket>()
  const proxy = createServer((client) => {
    const server = connect(serverPort, '127.0.0.1')
    for (const socket of [client, server]) sockets.add(socket.on('error', () => {}))
    client.on('data', (bytes) => {
      server.write(bytes)
      if (bytes.includes('pg_promote(')) onPromote()
    })
    server.on('data', (bytes) => client.write(bytes))
    client.on('close', () => server.end())
    server.on('close', () => client.destroy())
  })
  proxy.listen(0, '127.0.0.1')
  await once(proxy, 'listening')
  return {
    port: (proxy.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      proxy.close()
      for (const socket of sockets) socket.destroy()
      await once(proxy, 'close')
    },
  }
}
