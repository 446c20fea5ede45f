import type { Duplex } from 'node:stream'
import { HoldfastError, messageOf } from '../../kernel/index.ts'
import { connectClient, type ConnectOptions, type Row } from './connect.ts'
import { postgresError, serverError } from './errors.ts'
import { describeUrl } from './location.ts'
import { frontendMessage, MessageReader, readColumns, readRow, readServerError, type BackendMessage } from './messages.ts'

/** The rows of one command's answer. */
export type ResultSet = readonly Row[]

/**
 * A COPY that has begun on a replication connection (BASE_BACKUP: out; START_REPLICATION: both; UPLOAD_MANIFEST: in).
 */
export interface CopyStream {
  readonly direction: 'in' | 'out' | 'both'
  /** What the server answered before the copy began (BASE_BACKUP: start position, then tablespaces). */
  readonly before: readonly ResultSet[]
  /**
   * The payloads of CopyData, until the server's CopyDone. Can be iterated once. The socket is read only as far as the consumer goes, so a
   * slow one holds the server back. Throws what the server reports, and `postgres-unreachable` when the connection breaks.
   */
  readonly messages: AsyncIterable<Buffer>
  /** Sends one CopyData. Resolves when the socket takes more. */
  send(payload: Uint8Array): Promise<void>
  /**
   * Ends the copy from our side (CopyDone, unless the direction is out), drops what the server had under way, and returns the result sets
   * that follow (end of a timeline: its successor's number and start; BASE_BACKUP: end position). The connection is then free again.
   */
  endCopy(): Promise<readonly ResultSet[]>
}

export interface ReplicationConnection extends AsyncDisposable {
  /** For messages: without credentials. */
  readonly location: string
  /** The number the server gives itself: 150018 is 15.18. */
  readonly serverVersion: number
  /** One simple command (IDENTIFY_SYSTEM, SHOW, CREATE_REPLICATION_SLOT, TIMELINE_HISTORY, …): the rows of its last result set. */
  query(command: string): Promise<ResultSet>
  startCopy(command: string): Promise<CopyStream>
  /** Breaks the connection at once; what is waiting on it throws `reason`. For watchdogs. */
  destroy(reason: unknown): void
}

type State = 'idle' | 'busy' | 'copy' | 'broken'

/**
 * Opens a physical replication connection. pg does the connecting, TLS and authentication; from then on this speaks the protocol itself,
 * because pg would buffer a COPY without back-pressure. Aborting the signal destroys the connection; waiting calls throw its reason.
 * Errors: `postgres-unreachable`, `postgres-setting` (pg_hba.conf, REPLICATION, max_wal_senders), `permission-denied`, `postgres-failed`.
 */
export async function openReplication(
  url: string,
  signal?: AbortSignal,
  options: Omit<ConnectOptions, 'replication'> = {},
): Promise<ReplicationConnection> {
  const client = await connectClient(url, { ...options, replication: true }, signal)
  const stream: Duplex = client.connection.stream
  stream.removeAllListeners('data')
  const location = describeUrl(url)
  let state: State = 'idle'
  let destroyedFor: unknown

  const broken = (cause: unknown): unknown => {
    state = 'broken'
    if (signal?.aborted === true) return signal.reason
    if (destroyedFor !== undefined) return destroyedFor
    if (cause instanceof HoldfastError) return cause
    return new HoldfastError('postgres-unreachable', {
      message: `the replication connection to ${location} broke: ${cause === undefined ? 'the server closed it' : messageOf(cause)}`,
      hint: "look at the server's log; it may have been stopped, or the network cut",
      cause,
      retryable: true,
      details: { location },
    })
  }
  const reader = new MessageReader(stream, broken)

  /** The next message that is not news of the session (ParameterStatus, NoticeResponse, NotificationResponse). */
  async function receive(): Promise<BackendMessage> {
    for (;;) {
      const message = await reader.next()
      if (message.type !== 'S' && message.type !== 'N' && message.type !== 'A') return message
    }
  }

  /** The error that a server message carries. The connection is ready again afterwards, unless the error was fatal to it. */
  async function failure(payload: Buffer): Promise<HoldfastError> {
    const fields = readServerError(payload)
    const error = serverError(fields, location)
    if (fields.severity === 'FATAL' || fields.severity === 'PANIC') {
      state = 'broken'
      stream.destroy()
      return error
    }
    for (;;) {
      try {
        if ((await receive()).type === 'Z') break
      } catch {
        // The connection broke after the error: the error is what explains it.
        return error
      }
    }
    state = 'idle'
    return error
  }

  function unexpected(message: BackendMessage, during: string): HoldfastError {
    state = 'broken'
    stream.destroy()
    return new HoldfastError('postgres-failed', {
      message: `${location} sent an unexpected message '${message.type}' during ${during}`,
    })
  }

  async function write(bytes: Buffer): Promise<void> {
    if (stream.destroyed) throw broken(undefined)
    if (stream.write(bytes)) return
    const { promise, resolve } = Promise.withResolvers<void>()
    stream.once('drain', resolve)
    stream.once('close', resolve)
    await promise
    stream.off('drain', resolve)
    stream.off('close', resolve)
    if (stream.destroyed) throw broken(undefined)
  }

  /** Sends a command; the result sets until it is complete, or until a copy begins. */
  async function run(command: string): Promise<{ results: ResultSet[]; copy?: CopyStream['direction'] }> {
    if (state !== 'idle') {
      if (state === 'broken') throw broken(undefined)
      throw new HoldfastError('internal', { message: `a replication command was sent while another one ran` })
    }
    state = 'busy'
    await write(frontendMessage('Q', Buffer.from(`${command}\0`)))
    return await results(command)
  }

  async function results(during: string): Promise<{ results: ResultSet[]; copy?: CopyStream['direction'] }> {
    const results: Row[][] = []
    let columns: string[] = []
    for (;;) {
      const message = await receive()
      switch (message.type) {
        case 'T':
          columns = readColumns(message.payload)
          results.push([])
          break
        case 'D':
          results.at(-1)?.push(readRow(message.payload, columns))
          break
        case 'C': // CommandComplete
        case 'I': // EmptyQueryResponse
          break
        case 'G':
          state = 'copy'
          return { results, copy: 'in' }
        case 'H':
          state = 'copy'
          return { results, copy: 'out' }
        case 'W':
          state = 'copy'
          return { results, copy: 'both' }
        case 'Z':
          state = 'idle'
          return { results }
        case 'E':
          throw await failure(message.payload)
        default:
          throw unexpected(message, during)
      }
    }
  }

  function copyStream(direction: CopyStream['direction'], before: ResultSet[], command: string): CopyStream {
    let serverDone = direction === 'in'
    let turn: Promise<unknown> = Promise.resolve()

    /** The next payload; undefined when the server is done. Takes turns: endCopy may be called while the iteration waits. */
    function take(): Promise<Buffer | undefined> {
      const taken = turn.then(async () => {
        if (serverDone) return undefined
        const message = await receive()
        if (message.type === 'd') return message.payload
        if (message.type === 'E') throw await failure(message.payload)
        if (message.type !== 'c') throw unexpected(message, command)
        serverDone = true
        return undefined
      })
      turn = taken.catch(() => {})
      return taken
    }

    async function* payloads(): AsyncGenerator<Buffer, void, undefined> {
      for (let payload = await take(); payload !== undefined; payload = await take()) yield payload
    }

    return {
      direction,
      before,
      messages: payloads(),
      async send(payload) {
        await write(frontendMessage('d', payload))
      },
      async endCopy() {
        if (direction !== 'out') await write(frontendMessage('c'))
        while ((await take()) !== undefined);
        state = 'busy'
        return (await results(command)).results
      },
    }
  }

  try {
    const version = await (async () => (await run('SHOW server_version_num')).results.at(-1)?.[0]?.server_version_num)()
    const serverVersion = Number(version)
    if (!Number.isInteger(serverVersion)) {
      throw new HoldfastError('postgres-failed', { message: `${location} does not say its version` })
    }
    return {
      location,
      serverVersion,
      async query(command) {
        const { results, copy } = await run(command)
        if (copy !== undefined) throw unexpected({ type: copy, payload: Buffer.alloc(0) }, command)
        return results.at(-1) ?? []
      },
      async startCopy(command) {
        const { results, copy } = await run(command)
        if (copy === undefined) {
          throw new HoldfastError('postgres-failed', { message: `${location} began no copy for: ${command.split(' ')[0]}` })
        }
        return copyStream(copy, results, command.split(' ')[0] ?? command)
      },
      destroy(reason) {
        destroyedFor ??= reason
        stream.destroy()
      },
      async [Symbol.asyncDispose]() {
        if (stream.destroyed) return
        if (state !== 'idle') {
          stream.destroy()
          return
        }
        const { promise, resolve } = Promise.withResolvers<void>()
        stream.once('close', resolve)
        // The reader no longer reads; without flowing, the server's end would never be seen.
        stream.resume()
        stream.end(frontendMessage('X'))
        const timer = setTimeout(() => stream.destroy(), 2000)
        await promise
        clearTimeout(timer)
      },
    }
  } catch (error) {
    stream.destroy()
    throw postgresError(error, url)
  }
}
