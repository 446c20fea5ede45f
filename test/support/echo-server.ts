import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'

/** Sends back what it is sent, and ends when its client does. */
export async function startEcho(): Promise<{ readonly address: string } & AsyncDisposable> {
  const sockets = new Set<Socket>()
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.pipe(socket)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}

export interface EchoClient extends Disposable {
  readonly socket: Socket
  /** The milliseconds until all of it has come back; the error's code when the connection ends before. */
  roundTrip(bytes: Buffer): Promise<number | string>
}

export async function connectEcho(address: string): Promise<EchoClient> {
  const [host = '', port = '0'] = address.split(':')
  const socket = connect(Number(port), host)
  socket.setMaxListeners(100)
  await once(socket, 'connect')
  return {
    socket,
    async roundTrip(bytes) {
      const began = performance.now()
      let got = 0
      const all = Promise.withResolvers<number | string>()
      const onData = (part: Buffer) => {
        got += part.length
        if (got >= bytes.length) all.resolve(performance.now() - began)
      }
      socket.on('data', onData)
      socket.once('error', (error: NodeJS.ErrnoException) => all.resolve(error.code ?? ''))
      socket.once('close', () => all.resolve(`closed after ${got}`))
      socket.write(bytes)
      const result = await all.promise
      socket.off('data', onData)
      return result
    },
    [Symbol.dispose]: () => void socket.destroy(),
  }
}
