import { once } from 'node:events'
import { connect } from 'node:net'
import { messageOf } from '../../kernel/index.ts'

/** Whether a connection is accepted. Gives why not. */
export async function lookAtTcp(host: string, port: number, signal: AbortSignal): Promise<string | undefined> {
  // [::1]:5432 is how an IPv6 address is written before a port.
  const socket = connect({ host: host.replace(/^\[(.*)\]$/, '$1'), port })
  try {
    await once(socket, 'connect', { signal })
    return undefined
  } catch (error) {
    signal.throwIfAborted()
    return messageOf(error instanceof AggregateError ? (error.errors as unknown[])[0] : error)
  } finally {
    socket.on('error', () => {})
    socket.destroy()
  }
}
