import { proxyBefore, type Proxy } from './tcp-proxy.ts'

type Disturbance = 'request lost' | 'answer lost' | 'answer forged' | 'late'

export interface DnsProxy extends Proxy {
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
  const proxy = await proxyBefore(serverPort, (client, onward) => {
    const server = onward()
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
  })
  return {
    ...proxy,
    address: `127.0.0.1:${proxy.port}`,
    atUpdate(what, meanwhile = async () => {}) {
      next = { what, meanwhile }
    },
  }
}

/** Opcode UPDATE, with more than the one record that a look at the zone has. Behind the two bytes of the length is the header. */
function changesSomething(bytes: Buffer): boolean {
  return bytes.length > 14 && bytes.readUInt8(4) >> 3 === 5 && bytes.readUInt16BE(10) > 1
}
