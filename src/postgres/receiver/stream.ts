import { HoldfastError, systemClock, type Clock } from '../../kernel/index.ts'
import type { CopyStream, ReplicationConnection } from '../connection/replication.ts'
import { formatLsn, parseLsn, type Lsn } from '../lsn.ts'
import type { WalWriter } from '../wal/writer.ts'
import type { ReceiverEvent } from './events.ts'
import { decodeStreamMessage, encodeStatus } from './messages.ts'

export interface StreamOptions {
  readonly connection: ReplicationConnection
  readonly writer: WalWriter
  readonly timeline: number
  readonly onEvent: (event: ReceiverEvent) => void
  /** Never acknowledged less than this: what an earlier timeline had. */
  readonly floor: Lsn
  readonly stallMs: number
  readonly markIntervalMs: number
  readonly clock?: Clock
  /** Tells whom the writer calls after each durable put. */
  readonly onDurable: (listener: () => void) => void
}

/** How a stream ended: the server's timeline ended, or we were asked to stop. */
export type StreamEnd = { readonly kind: 'timeline'; readonly next: number; readonly fork: Lsn } | { readonly kind: 'stopped' }

/** Held in memory at most; beyond it the socket is not read, and the server waits. */
const maxQueuedBytes = 64 * 1024 * 1024
const statusIntervalMs = 1000
/** A server that says nothing for so long, though asked, is gone. */
const silenceMs = 30_000

/**
 * Receives one timeline's stream until its end or the stop. The caller has begun the copy. Acknowledges what the writer has made durable,
 * after each put, every second, and when asked. When a put takes longer than stallMs the connection is broken on purpose: a receiver that
 * is connected but takes nothing can hang the server's checkpointer.
 */
export async function receiveStream(copy: CopyStream, options: StreamOptions, stop: AbortSignal): Promise<StreamEnd> {
  const { connection, writer, timeline, onEvent, floor, stallMs, markIntervalMs, clock = systemClock } = options
  let serverEnd = 0n
  let lastSentAtUs: bigint | undefined
  let lastHeardMs = clock.monotonicMs()
  let lastProgressMs = Number.NEGATIVE_INFINITY
  let acknowledged = floor
  let completeUntilUs: bigint | undefined

  const acknowledge = async (replyNow = false) => {
    if (writer.durable > acknowledged) acknowledged = writer.durable
    await copy.send(encodeStatus(acknowledged, clock.now().getTime(), replyNow))
  }
  /** A failed send means a broken connection, which the reading side reports. */
  const acknowledgeSoon = (replyNow = false) => void acknowledge(replyNow).catch(() => {})
  const progress = (always: boolean) => {
    const now = clock.monotonicMs()
    if (!always && now - lastProgressMs < 1000) return
    lastProgressMs = now
    const end = serverEnd > writer.received ? serverEnd : writer.received
    onEvent({
      type: 'wal-progress',
      timeline,
      receivedLsn: formatLsn(writer.received),
      durableLsn: formatLsn(writer.durable),
      serverLsn: formatLsn(end),
      lagBytes: end > writer.durable ? Number(end - writer.durable) : 0,
      ...(completeUntilUs === undefined ? {} : { completeUntil: new Date(Number(completeUntilUs / 1000n)).toISOString() }),
    })
  }
  options.onDurable(() => acknowledgeSoon())

  const watch = setInterval(() => {
    const now = clock.monotonicMs()
    if ((writer.busyForMs(now) ?? 0) > stallMs) {
      connection.destroy(
        new HoldfastError('timed-out', {
          message: `storing WAL has taken longer than ${stallMs} ms, so the receiver let the server go rather than hold it up`,
          hint: 'look at the repository: its disk or its network does not answer. WAL waits in the replication slot meanwhile',
          retryable: true,
        }),
      )
    } else if (now - lastHeardMs > silenceMs) {
      connection.destroy(
        new HoldfastError('postgres-unreachable', {
          message: `${connection.location} has said nothing for ${silenceMs} ms`,
          hint: 'check the network between here and the server',
          retryable: true,
        }),
      )
    } else {
      acknowledgeSoon(now - lastHeardMs > 0.9 * statusIntervalMs)
      progress(false)
    }
  }, statusIntervalMs)

  const stopped = Promise.withResolvers<'stopped'>()
  const onStop = () => stopped.resolve('stopped')
  if (stop.aborted) onStop()
  else stop.addEventListener('abort', onStop, { once: true })
  try {
    const reading = read()
    // Whoever loses the race below is still waited for; its failure must not be an unhandled one until then.
    reading.catch(() => {})
    const first = await Promise.race([reading, stopped.promise])
    if (first === 'stopped') {
      // What has been received becomes durable and acknowledged; then the server is told.
      await writer.drained()
      await acknowledge()
      connection.destroy(new HoldfastError('interrupted', { message: 'the receiver was asked to stop' }))
      await reading.catch(() => {})
      progress(true)
      return { kind: 'stopped' }
    }
    await writer.drained()
    await acknowledge()
    const [row] = (await copy.endCopy()).flat()
    progress(true)
    if (row?.next_tli && row.next_tli_startpos) {
      return { kind: 'timeline', next: Number(row.next_tli), fork: parseLsn(row.next_tli_startpos) }
    }
    throw new HoldfastError('postgres-unreachable', {
      message: `${connection.location} ended the stream: it is shutting down`,
      retryable: true,
    })
  } finally {
    clearInterval(watch)
    stop.removeEventListener('abort', onStop)
  }

  /** Until the server's CopyDone. */
  async function read(): Promise<'ended'> {
    for await (const payload of copy.messages) {
      const message = decodeStreamMessage(payload)
      lastHeardMs = clock.monotonicMs()
      if (message.serverEnd > serverEnd) serverEnd = message.serverEnd
      if (message.type === 'wal') writer.append(message.start, message.bytes, message.sentAtUs)
      // It sends what it has before it sends anything later: what it had flushed when it sent the message before this one has arrived.
      if (message.serverEnd <= writer.received && lastSentAtUs !== undefined) {
        completeUntilUs = lastSentAtUs
        const due = lastSentAtUs - writer.storedCompleteUntilUs >= BigInt(markIntervalMs) * 1000n
        writer.completeUntil(lastSentAtUs, due && message.type === 'keepalive')
      }
      lastSentAtUs = message.sentAtUs
      if (message.type === 'keepalive' && message.replyNow) acknowledgeSoon()
      progress(false)
      await writer.drained(maxQueuedBytes)
    }
    return 'ended'
  }
}
