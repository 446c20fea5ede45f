import type { Duplex } from 'node:stream'
import { HoldfastError } from '../../kernel/index.ts'
import type { ServerError } from './errors.ts'

/** One message of the frontend/backend protocol, version 3: its type's letter and its payload, without the length. */
export interface BackendMessage {
  readonly type: string
  readonly payload: Buffer
}

const headerBytes = 5
/** PostgreSQL's own limit for a message is 1 GiB; what is longer is not a message. */
const maxMessageBytes = 1024 ** 3

/**
 * Cuts a socket's bytes into messages. It reads only when asked, so that a slow consumer slows the server down (back-pressure), and keeps
 * at most one message and one read of the socket in memory. Payloads are views into what was read; they stay valid.
 */
export class MessageReader {
  readonly #stream: Duplex
  readonly #failure: (cause: unknown) => unknown
  #chunks: Buffer[] = []
  #bufferedBytes = 0
  #ended = false
  #error: unknown
  #wake: (() => void) | undefined

  /** `failure` makes the error to throw when the stream ends or breaks. */
  constructor(stream: Duplex, failure: (cause: unknown) => unknown) {
    this.#stream = stream
    this.#failure = failure
    const wake = () => {
      this.#wake?.()
      this.#wake = undefined
    }
    const end = () => {
      this.#ended = true
      wake()
    }
    stream.on('readable', wake)
    stream.on('end', end)
    stream.on('close', end)
    stream.on('error', (error) => {
      this.#error = error
      end()
    })
    if (stream.destroyed) end()
  }

  /** The next message, waiting for it as long as the connection lives. */
  async next(): Promise<BackendMessage> {
    for (;;) {
      const message = this.#take()
      if (message !== undefined) return message
      const chunk = this.#stream.destroyed ? null : (this.#stream.read() as Buffer | null)
      if (chunk !== null) {
        this.#chunks.push(chunk)
        this.#bufferedBytes += chunk.length
        continue
      }
      if (this.#ended) throw this.#failure(this.#error)
      const { promise, resolve } = Promise.withResolvers<void>()
      this.#wake = resolve
      await promise
    }
  }

  #take(): BackendMessage | undefined {
    if (this.#bufferedBytes < headerBytes) return undefined
    let first = this.#chunks[0]!
    if (first.length < headerBytes) first = this.#join()
    const lengthBytes = first.readUInt32BE(1)
    if (lengthBytes < 4 || lengthBytes > maxMessageBytes) {
      throw this.#failure(
        new HoldfastError('postgres-failed', {
          message: `the server sent a message of type ${first[0]} with length ${lengthBytes}`,
        }),
      )
    }
    const total = lengthBytes + 1
    if (this.#bufferedBytes < total) return undefined
    // Joined once per message that spans reads, when all of it is here: never again and again while it arrives.
    if (first.length < total) first = this.#join()
    const message = { type: String.fromCharCode(first[0]!), payload: first.subarray(headerBytes, total) }
    this.#bufferedBytes -= total
    if (first.length === total) this.#chunks.shift()
    else this.#chunks[0] = first.subarray(total)
    return message
  }

  #join(): Buffer {
    const whole = Buffer.concat(this.#chunks, this.#bufferedBytes)
    this.#chunks = [whole]
    return whole
  }
}

/** A message to the server. */
export function frontendMessage(type: string, ...parts: readonly Uint8Array[]): Buffer {
  const length = parts.reduce((sum, part) => sum + part.length, 4)
  const header = Buffer.alloc(headerBytes)
  header.write(type, 0, 'latin1')
  header.writeUInt32BE(length, 1)
  return Buffer.concat([header, ...parts])
}

/** The zero-terminated string at an offset, and the offset behind it. */
export function readText(payload: Buffer, offset: number): { text: string; next: number } {
  const end = payload.indexOf(0, offset)
  if (end < 0) throw new HoldfastError('postgres-failed', { message: `unterminated text at byte ${offset} of a server message` })
  return { text: payload.toString('utf8', offset, end), next: end + 1 }
}

/** ErrorResponse and NoticeResponse: a letter and a text, until a zero byte. */
export function readServerError(payload: Buffer): ServerError {
  const fields = new Map<string, string>()
  let offset = 0
  while (offset < payload.length && payload[offset] !== 0) {
    const letter = String.fromCharCode(payload[offset]!)
    const { text, next } = readText(payload, offset + 1)
    fields.set(letter, text)
    offset = next
  }
  return {
    severity: fields.get('V') ?? fields.get('S'),
    code: fields.get('C'),
    message: fields.get('M') ?? 'an error without a message',
    detail: fields.get('D'),
    hint: fields.get('H'),
  }
}

/** RowDescription: the columns' names. */
export function readColumns(payload: Buffer): string[] {
  const names: string[] = []
  let offset = 2
  for (let rest = payload.readUInt16BE(0); rest > 0; rest--) {
    const { text, next } = readText(payload, offset)
    names.push(text)
    offset = next + 18
  }
  return names
}

/** DataRow, values as text. */
export function readRow(payload: Buffer, columns: readonly string[]): Record<string, string | null> {
  const row: Record<string, string | null> = {}
  const count = payload.readUInt16BE(0)
  let offset = 2
  for (let index = 0; index < count; index++) {
    const length = payload.readInt32BE(offset)
    offset += 4
    row[columns[index] ?? `column${index + 1}`] =
      length < 0 ? null : payload.toString('utf8', offset, offset + Math.max(0, length))
    if (length > 0) offset += length
  }
  return row
}
