import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { isIPv6 } from 'node:net'
import type { HostPort } from '../../kernel/index.ts'

export type Transport = 'tcp' | 'udp'

/** Gives the bytes of the answer; undefined for none. */
export type Answerer = (bytes: Buffer, transport: Transport) => Promise<Uint8Array | undefined>

const longestIdleMs = 10_000

/** Listens over UDP and TCP (RFC 1035, 4.2; RFC 7766: several questions on a connection, answered as they are ready). Throws when the place is taken. */
export async function listen({ host, port }: HostPort, answer: Answerer): Promise<void> {
  const udp = createSocket(isIPv6(host) ? 'udp6' : 'udp4')
  udp.on('message', (bytes, from) => void answerOverUdp(udp, bytes, from, answer))
  udp.bind(port, host)
  await once(udp, 'listening')
  const tcp = createServer((connection) => {
    connection.setTimeout(longestIdleMs, () => connection.destroy())
    connection.on('error', () => {})
    let received = Buffer.alloc(0)
    connection.on('data', (piece: Buffer) => {
      received = Buffer.concat([received, piece])
      while (received.length >= 2 && received.length >= 2 + received.readUInt16BE()) {
        const end = 2 + received.readUInt16BE()
        const bytes = received.subarray(2, end)
        received = received.subarray(end)
        void answer(bytes, 'tcp').then((said) => {
          if (said !== undefined && connection.writable) connection.write(withLength(said))
        })
      }
    })
  })
  tcp.listen(port, host)
  await once(tcp, 'listening')
}

async function answerOverUdp(
  socket: Socket,
  bytes: Buffer,
  from: { readonly address: string; readonly port: number },
  answer: Answerer,
): Promise<void> {
  const said = await answer(bytes, 'udp')
  if (said !== undefined) socket.send(said, from.port, from.address)
}

function withLength(bytes: Uint8Array): Buffer {
  const length = Buffer.alloc(2)
  length.writeUInt16BE(bytes.length)
  return Buffer.concat([length, bytes])
}
