import type { Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import type { Toxic } from './toxic.ts'

/** Beyond that much on its way the sender is made to wait. */
const mostWaitingBytes = 16 * 1024 * 1024
/** A slow line is written to that often. */
const turnMs = 50

/** One direction of a connection. */
export interface Link {
  /** Its toxics are others now. */
  update(toxics: readonly Toxic[]): void
}

type Waiting = { readonly atMs: number; readonly bytes: Buffer | undefined }

/**
 * Carries what comes from one socket to the other, through toxics. Without any, it hands over buffers in the very turn in which they came. What is
 * delayed keeps its order, and does not keep what comes behind it from being read.
 *
 * @param close ends the whole connection
 */
export function link(from: Socket, to: Socket, first: readonly Toxic[], close: () => void): Link {
  let toxics = first
  let waitingBytes = 0
  let carried = 0
  let writing = false
  const waiting: Waiting[] = []

  from.on('data', (bytes: Buffer) => {
    if (toxics.length === 0 && !writing && waiting.length === 0) {
      carried += bytes.length
      if (!to.write(bytes)) from.pause()
      return
    }
    take({ atMs: performance.now(), bytes })
  })
  from.on('end', () => take({ atMs: performance.now(), bytes: undefined }))
  to.on('drain', () => {
    if (waitingBytes < mostWaitingBytes) from.resume()
  })

  function take(item: Waiting): void {
    waiting.push(item)
    waitingBytes += item.bytes?.length ?? 0
    if (waitingBytes > mostWaitingBytes) from.pause()
    if (!writing) void writeAll()
  }

  async function writeAll(): Promise<void> {
    writing = true
    for (let item = waiting.shift(); item !== undefined && !to.destroyed; item = waiting.shift()) {
      waitingBytes -= item.bytes?.length ?? 0
      await pass(item)
      if (waitingBytes < mostWaitingBytes && !to.writableNeedDrain) from.resume()
    }
    writing = false
  }

  async function pass({ atMs, bytes }: Waiting): Promise<void> {
    const latencyMs = toxics.reduce((sum, toxic) => sum + latencyOf(toxic), 0)
    if (latencyMs > 0) await sleepUntil(atMs + latencyMs)
    if (bytes === undefined) {
      for (const toxic of toxics) if (toxic.type === 'slow_close') await delay(toxic.attributes.delay)
      to.end()
      return
    }
    // What a timeout swallows is gone.
    if (toxics.some(({ type }) => type === 'timeout')) return
    for (const slice of slices(bytes, toxics)) {
      await write(slice.bytes)
      if (slice.pauseMs > 0) await delay(slice.pauseMs)
    }
  }

  async function write(bytes: Buffer): Promise<void> {
    const limit = toxics.reduce(
      (least, toxic) => (toxic.type === 'limit_data' ? Math.min(least, toxic.attributes.bytes) : least),
      Infinity,
    )
    const allowed = bytes.subarray(0, Math.max(0, limit - carried))
    const bytesPerMs = rateOf(toxics)
    const turn = Math.max(1, Math.floor(bytesPerMs * turnMs))
    for (let offset = 0; offset < allowed.length && !to.destroyed; offset += turn) {
      const part = allowed.subarray(offset, offset + turn)
      carried += part.length
      if (!to.write(part)) await drained(to)
      if (bytesPerMs !== Infinity) await delay(part.length / bytesPerMs)
    }
    if (carried >= limit) close()
  }

  return { update: (next) => void (toxics = next) }
}

function latencyOf(toxic: Toxic): number {
  if (toxic.type !== 'latency') return 0
  const { latency, jitter } = toxic.attributes
  return Math.max(0, latency + (Math.random() * 2 - 1) * jitter)
}

/** Bytes a millisecond, which is KB a second, of the slowest. */
function rateOf(toxics: readonly Toxic[]): number {
  return toxics.reduce((rate, toxic) => (toxic.type === 'bandwidth' ? Math.min(rate, toxic.attributes.rate) : rate), Infinity)
}

function* slices(bytes: Buffer, toxics: readonly Toxic[]): Generator<{ bytes: Buffer; pauseMs: number }> {
  const slicer = toxics.find((toxic) => toxic.type === 'slicer')
  if (slicer === undefined) {
    yield { bytes, pauseMs: 0 }
    return
  }
  const { average_size: average, size_variation: variation, delay: pauseUs } = slicer.attributes
  for (let offset = 0; offset < bytes.length;) {
    const size = Math.max(1, Math.round(average + (Math.random() * 2 - 1) * variation))
    yield { bytes: bytes.subarray(offset, offset + size), pauseMs: pauseUs / 1000 }
    offset += size
  }
}

async function sleepUntil(atMs: number): Promise<void> {
  const leftMs = atMs - performance.now()
  if (leftMs > 0) await delay(leftMs)
}

async function drained(socket: Socket): Promise<void> {
  await new Promise<void>((resolve) => {
    socket.once('drain', resolve).once('close', resolve)
  })
}
