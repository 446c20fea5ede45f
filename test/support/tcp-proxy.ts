import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'

export interface Proxy extends AsyncDisposable {
  readonly port: number
  /** Every connection ends, on both sides. */
  breakAll(): void
}

/**
 * A proxy before a server on the loopback. `join` gets each client, with the way to connect it onward, and says what passes between the two.
 * Where one side has ended, the other does.
 */
export async function proxyBefore(serverPort: number, join: (client: Socket, onward: () => Socket) => void): Promise<Proxy> {
  const sockets = new Set<Socket>()
  const tracked = (socket: Socket): Socket => {
    sockets.add(socket)
    return socket.on('error', () => {}).on('close', () => sockets.delete(socket))
  }
  const listener = createServer((client) => {
    join(tracked(client), () => {
      const server = tracked(connect(serverPort, '127.0.0.1'))
      // What the client has sent still arrives, also when it was killed.
      client.on('close', () => server.end())
      return server.on('close', () => client.destroy())
    })
  }).listen(0, '127.0.0.1')
  await once(listener, 'listening')
  const breakAll = () => {
    for (const socket of sockets) socket.destroy()
  }
  return {
    port: (listener.address() as AddressInfo).port,
    breakAll,
    async [Symbol.asyncDispose]() {
      listener.close()
      breakAll()
      await once(listener, 'close')
    },
  }
}

export interface Line extends Proxy {
  /** From now on nothing passes: connections end, and new ones are refused as by a network that is down. */
  cut(): void
  mend(): void
  /** Cuts as soon as the server has sent so many bytes in all. */
  cutAfter(bytes: number): void
  /** What the server has sent in all, in bytes. */
  received(): number
}

/** The line to a server on the loopback, which can be cut. */
export async function line(serverPort: number): Promise<Line> {
  let isCut = false
  let limit = Number.POSITIVE_INFINITY
  let received = 0
  const proxy = await proxyBefore(serverPort, (client, onward) => {
    if (isCut) {
      client.destroy()
      return
    }
    const server = onward()
    client.pipe(server)
    server.on('data', (bytes: Buffer) => {
      received += bytes.length
      if (received > limit) cut()
      else client.write(bytes)
    })
  })
  const cut = () => {
    isCut = true
    proxy.breakAll()
  }
  return {
    ...proxy,
    cut,
    mend() {
      isCut = false
      limit = Number.POSITIVE_INFINITY
    },
    cutAfter(bytes) {
      limit = bytes
    },
    received: () => received,
  }
}
