import { createSocket } from 'node:dgram'
import { lookup } from 'node:dns/promises'
import { once } from 'node:events'
import { connect } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { messageOf, type HostPort } from '../kernel/index.ts'
import { Reader } from './message.ts'

export interface Exchange {
  readonly server: HostPort
  readonly transport: 'tcp' | 'udp'
  readonly message: Uint8Array
  /** From the look-up of the server's address to the end of the answer. */
  readonly timeoutMs: number
  /** Whether it may be sent again when no answer comes: never for what changes something. */
  readonly repeat: boolean
}

/**
 * How an exchange ended. `not-sent`: the server has not had the message. `no-answer`: it may have had it, and nobody knows what it made of it.
 */
export type ExchangeResult<T> =
  | { readonly kind: 'answer'; readonly answer: T }
  | { readonly kind: 'not-sent' | 'no-answer'; readonly because: string }

const repeatAfterMs = [1000, 2000, 4000, 8000]

/**
 * Sends a message and waits for its answer. `accept` throws for bytes that are not it: over UDP they may be anybody's, and the wait goes on.
 * Throws the signal's reason when aborted.
 */
export async function exchange<T>(
  request: Exchange,
  accept: (bytes: Uint8Array) => T,
  signal: AbortSignal,
): Promise<ExchangeResult<T>> {
  signal.throwIfAborted()
  const timeout = AbortSignal.timeout(request.timeoutMs)
  const either = AbortSignal.any([signal, timeout])
  const state: Progress = { sent: false, rejected: undefined }
  try {
    const send = request.transport === 'tcp' ? overTcp : overUdp
    return { kind: 'answer', answer: await send(request, accept, state, either) }
  } catch (error) {
    signal.throwIfAborted()
    const late = `no answer within ${request.timeoutMs} ms`
    const reason = timeout.aborted
      ? state.rejected === undefined
        ? late
        : `${late}, but one that was not it: ${state.rejected}`
      : messageOf(error)
    return { kind: state.sent ? 'no-answer' : 'not-sent', because: reason }
  }
}

interface Progress {
  sent: boolean
  /** Why the last bytes that came were not taken for the answer. */
  rejected: string | undefined
}

async function overTcp<T>(
  { server, message }: Exchange,
  accept: (bytes: Uint8Array) => T,
  state: Progress,
  signal: AbortSignal,
): Promise<T> {
  const socket = connect({ ...server, signal })
  try {
    await once(socket, 'connect')
    const length = Buffer.alloc(2)
    length.writeUInt16BE(message.length)
    state.sent = true
    socket.write(Buffer.concat([length, message]))
    let received = Buffer.alloc(0)
    for await (const piece of socket as AsyncIterable<Buffer>) {
      received = Buffer.concat([received, piece])
      if (received.length < 2 || received.length < 2 + received.readUInt16BE()) continue
      const reader = new Reader(received)
      return accept(reader.take(reader.uint16()))
    }
    throw new Error('the server closed the connection without an answer')
  } finally {
    socket.destroy()
  }
}

async function overUdp<T>(
  { server, message, repeat }: Exchange,
  accept: (bytes: Uint8Array) => T,
  state: Progress,
  signal: AbortSignal,
): Promise<T> {
  const { address, family } = await untilAborted(lookup(server.host), signal)
  const socket = createSocket(family === 6 ? 'udp6' : 'udp4')
  const { promise, resolve, reject } = Promise.withResolvers<T>()
  const stop = new AbortController()
  try {
    socket.on('message', (bytes) => {
      try {
        resolve(accept(bytes))
      } catch (error) {
        state.rejected = messageOf(error)
      }
    })
    socket.on('error', (error) => {
      // The one datagram came to where nobody listens.
      if (!repeat && 'code' in error && error.code === 'ECONNREFUSED') state.sent = false
      reject(error)
    })
    socket.once('connect', () => {
      state.sent = true
      socket.send(message)
      if (repeat) void sendAgain(() => socket.send(message), stop.signal)
    })
    socket.connect(server.port, address)
    return await untilAborted(promise, signal)
  } finally {
    stop.abort()
    socket.close()
  }
}

async function sendAgain(send: () => void, signal: AbortSignal): Promise<void> {
  for (const ms of repeatAfterMs) {
    try {
      await delay(ms, undefined, { signal })
    } catch {
      return
    }
    send()
  }
}

async function untilAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise: aborted, reject } = Promise.withResolvers<never>()
  const onAbort = () => reject(signal.reason as Error)
  signal.addEventListener('abort', onAbort, { once: true })
  try {
    if (signal.aborted) onAbort()
    return await Promise.race([promise, aborted])
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}
