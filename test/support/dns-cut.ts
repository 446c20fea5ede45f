import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'

type Disturbance = 'request lost' | 'answer lost' | 'answer forged' | 'late'

export interface DnsProxy extends AsyncDisposable {
  /** `127.0.0.1:PORT` */
  readonly address: string
  /**
   * What happens at the next update that would change something: it is lost on its way after `meanwhile`, its answer is, its answer is
   * forged, or it is only late.
   */
  atUpdate(what: Disturbance, meanwhile?: () => Promise<void>): void
}

/** A TCP proxy before a name server on the loopback, which cuts where nobody can know what became of an update. */
export async function dnsProxy(serverPort: number): Promise<DnsProxy> {
  let next: { readonly what: Disturbance; readonly meanwhile: () => Promise<void> } | undefined
  const sockets = new Set<Socket>()
  const proxy = createServer((client) => {
    const server = connect(serverPort, '127.0.0.1')
    for (const socket of [client, server]) sockets.add(socket.on('error', () => {}))
    let what: Disturbance | undefined
    client.on('data', (bytes: Buffer) => {
      if (next === undefined || !changesSomething(bytes)) {
        server.write(bytes)
        return
      }
      const { meanwhile } = next
      what = next.what
      next = undefined
      if (what === 'answer lost') {
        server.write(bytes)
        server.once('data', () => void meanwhile().finally(() => client.destroy()))
      } else void meanwhile().finally(() => (what === 'request lost' ? client.destroy() : server.write(bytes)))
    })
    server.on('data', (bytes: Buffer) => {
      if (what === 'answer forged') bytes.writeUInt8(bytes.readUInt8(bytes.length - 20) ^ 1, bytes.length - 20)
      if (what !== 'answer lost') client.write(bytes)
    })
    client.on('close', () => server.destroy())
    server.on('close', () => client.destroy())
  })
  proxy.listen(0, '127.0.0.1')
  await once(proxy, 'listening')
  return {
    address: `127.0.0.1:${(proxy.address() as AddressInfo).port}`,
    atUpdate(what, meanwhile = async () => {}) {
      next = { what, meanwhile }
    },
    async [Symbol.asyncDispose]() {
      proxy.close()
      for (const socket of sockets) socket.destroy()
      await once(proxy, 'close')
    },
  }
}

/** Opcode UPDATE, with more than the one record that a look at the zone has. Behind the two bytes of the length is the header. */
function changesSomething(bytes: Buffer): boolean {
  return bytes.length > 14 && bytes.readUInt8(4) >> 3 === 5 && bytes.readUInt16BE(10) > 1
}
