import { connect as connectPlain, isIP, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { HoldfastError, messageOf } from '../../kernel/index.ts'

/** A connection that is asked one thing after the other. */
export interface Redis extends AsyncDisposable {
  /** Throws `command-failed` with what the server said. */
  ask(...words: readonly string[]): Promise<string>
}

const timeoutMs = 10_000

/**
 * redis://user:password@host:6379, or rediss:// over TLS. RESP 2, as the Redis serialization protocol specification has it, and of its answers only
 * those that CLIENT, INFO, AUTH and PING give: simple and bulk strings, integers and errors. So little needs no library.
 */
export async function openRedis(url: string, signal?: AbortSignal): Promise<Redis> {
  const { protocol, hostname, port, username, password } = new URL(url)
  if (protocol !== 'redis:' && protocol !== 'rediss:')
    throw new HoldfastError('usage', { message: `${describeRedis(url)} is no redis:// or rediss:// address` })
  const place = { host: hostname.replaceAll(/[[\]]/g, ''), port: port === '' ? 6379 : Number(port) }
  // A certificate may be for an address, and then there is no name to ask for (RFC 6066, 3).
  const named = isIP(place.host) === 0 ? { servername: place.host } : {}
  const socket = protocol === 'rediss:' ? connectTls({ ...place, ...named }) : connectPlain(place)
  socket.setTimeout(timeoutMs, () => socket.destroy(new Error('no answer in time')))
  // What goes wrong when nobody asks ends the connection: the next question finds that.
  socket.on('error', () => {})
  const stop = () => socket.destroy()
  signal?.addEventListener('abort', stop, { once: true })
  const redis: Redis = {
    async ask(...words) {
      signal?.throwIfAborted()
      try {
        const answer = readAnswer(socket)
        socket.write(`*${words.length}\r\n${words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`).join('')}`)
        return await answer
      } catch (error) {
        signal?.throwIfAborted()
        throw redisError(error, url)
      }
    },
    async [Symbol.asyncDispose]() {
      signal?.removeEventListener('abort', stop)
      socket.destroy()
    },
  }
  const auth = [username, password].filter((part) => part !== '').map((part) => decodeURIComponent(part))
  try {
    if (auth.length > 0) await redis.ask('AUTH', ...auth)
    // The server says at once whether it takes the connection.
    await redis.ask('PING')
    return redis
  } catch (error) {
    await redis[Symbol.asyncDispose]()
    throw error
  }
}

export function isTooManyForRedis(error: unknown): boolean {
  return error instanceof HoldfastError && /max number of clients reached/.test(error.message)
}

/** For messages: without a password. */
export function describeRedis(url: string): string {
  const { protocol, host } = new URL(url)
  return `${protocol}//${host}`
}

async function readAnswer(socket: Socket): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  let received = Buffer.alloc(0)
  const hear = (part: Buffer) => {
    received = Buffer.concat([received, part])
    try {
      const answer = parseAnswer(received)
      if (answer !== undefined) resolve(answer)
    } catch (error) {
      reject(error)
    }
  }
  const closed = () => reject(new Error('the server has ended the connection'))
  socket.on('data', hear).on('error', reject).on('close', closed)
  if (socket.destroyed) closed()
  try {
    return await promise
  } finally {
    socket.off('data', hear).off('close', closed).off('error', reject)
  }
}

/** Undefined while it is not whole. */
function parseAnswer(received: Buffer): string | undefined {
  const end = received.indexOf('\r\n')
  if (end === -1) return undefined
  const line = received.toString('utf8', 1, end)
  const type = String.fromCharCode(received[0] ?? 0)
  if (type === '-') throw new Error(line)
  if (type === '+' || type === ':') return line
  if (type !== '$') throw new Error(`an answer that was not asked for: ${type}${line}`)
  const length = Number(line)
  if (length < 0) return ''
  return received.length < end + 2 + length + 2 ? undefined : received.toString('utf8', end + 2, end + 2 + length)
}

function redisError(error: unknown, url: string): HoldfastError {
  return new HoldfastError('command-failed', {
    message: `${describeRedis(url)}: ${messageOf(error)}`,
    hint: 'check the address, the user and its rights, and that the server runs',
    retryable: true,
    cause: error,
  })
}
