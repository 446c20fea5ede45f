import { HoldfastError } from '../kernel/index.ts'
import { encodeName, labelText } from './name.ts'

/** DNS messages on the wire: RFC 1035, section 4, with the opcode and classes of RFC 2136. No library in use knows the class NONE. */

export const types = { A: 1, NS: 2, CNAME: 5, SOA: 6, TXT: 16, AAAA: 28, OPT: 41, TSIG: 250, ANY: 255 } as const
export const classes = { IN: 1, CH: 3, NONE: 254, ANY: 255 } as const
export const opcodes = { QUERY: 0, UPDATE: 5 } as const
export const flags = {
  response: 0x8000,
  authoritative: 0x0400,
  truncated: 0x0200,
  recursionDesired: 0x0100,
  recursionAvailable: 0x0080,
} as const

/** Codes of answers, RFC 2136, 2.2, and of TSIG, RFC 8945, 3. */
export const rcodes = {
  NOERROR: 0,
  FORMERR: 1,
  SERVFAIL: 2,
  NXDOMAIN: 3,
  NOTIMP: 4,
  REFUSED: 5,
  YXDOMAIN: 6,
  YXRRSET: 7,
  NXRRSET: 8,
  NOTAUTH: 9,
  NOTZONE: 10,
  BADSIG: 16,
  BADKEY: 17,
  BADTIME: 18,
  BADTRUNC: 22,
} as const

export function rcodeName(rcode: number): string {
  return Object.entries(rcodes).find(([, code]) => code === rcode)?.[0] ?? `RCODE ${rcode}`
}

export interface Question {
  readonly name: string
  readonly type: number
  readonly class: number
}

export interface ResourceRecord extends Question {
  /** Seconds. */
  readonly ttl: number
  /** As on the wire. Names within it are uncompressed for the types above. */
  readonly data: Uint8Array
}

/** Sections have the names of queries; in an update they are zone, prerequisites, updates and additional data. */
export interface Message {
  readonly id: number
  readonly opcode: number
  /** The bits of `flags`. */
  readonly bits: number
  readonly rcode: number
  readonly questions: readonly Question[]
  readonly answers: readonly ResourceRecord[]
  readonly authority: readonly ResourceRecord[]
  readonly additional: readonly ResourceRecord[]
}

export interface ReadMessage extends Message {
  /** Where the last record begins: what TSIG does not cover. */
  readonly lastRecordStart: number
}

export const headerBytes = 12

export function encodeMessage(message: Message): Buffer {
  const { questions, answers, authority, additional } = message
  const header = Buffer.alloc(headerBytes)
  header.writeUInt16BE(message.id, 0)
  header.writeUInt16BE(message.bits | (message.opcode << 11) | message.rcode, 2)
  for (const [index, section] of [questions, answers, authority, additional].entries()) {
    header.writeUInt16BE(section.length, 4 + 2 * index)
  }
  return Buffer.concat([header, ...questions.map(encodeQuestion), ...[...answers, ...authority, ...additional].map(encodeRecord)])
}

export function encodeRecord(record: ResourceRecord): Buffer {
  const rest = Buffer.alloc(6)
  rest.writeUInt32BE(record.ttl, 0)
  rest.writeUInt16BE(record.data.length, 4)
  return Buffer.concat([encodeQuestion(record), rest, record.data])
}

function encodeQuestion({ name, ...question }: Question): Buffer {
  const rest = Buffer.alloc(4)
  rest.writeUInt16BE(question.type, 0)
  rest.writeUInt16BE(question.class, 2)
  return Buffer.concat([encodeName(name), rest])
}

/** Throws `command-failed`, with the offset, for bytes that are no message. */
export function decodeMessage(bytes: Uint8Array): ReadMessage {
  const reader = new Reader(bytes)
  const [id, word] = [reader.uint16(), reader.uint16()]
  const counts = [reader.uint16(), reader.uint16(), reader.uint16(), reader.uint16()] as const
  let lastRecordStart = reader.offset
  const question = (): Question => ({ name: reader.name(), type: reader.uint16(), class: reader.uint16() })
  const record = (): ResourceRecord => {
    lastRecordStart = reader.offset
    const head = question()
    const ttl = reader.uint32()
    return { ...head, ttl, data: reader.data(head.type) }
  }
  const some = <T>(count: number, read: () => T): T[] => Array.from({ length: count }, read)
  const message = {
    id,
    opcode: (word >> 11) & 0xf,
    bits: word & 0x87f0,
    rcode: word & 0xf,
    questions: some(counts[0], question),
    answers: some(counts[1], record),
    authority: some(counts[2], record),
    additional: some(counts[3], record),
  }
  if (reader.offset !== bytes.length) throw malformed(reader.offset, `${bytes.length - reader.offset} bytes more than it says`)
  return { ...message, lastRecordStart }
}

/** Reads forward; every error names the offset. */
export class Reader {
  readonly #bytes: Buffer
  offset: number

  constructor(bytes: Uint8Array, offset = 0) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.offset = offset
  }

  take(length: number): Buffer {
    if (this.offset + length > this.#bytes.length) {
      throw malformed(this.offset, `${length} bytes are wanted, ${this.#bytes.length - this.offset} are left`)
    }
    this.offset += length
    return this.#bytes.subarray(this.offset - length, this.offset)
  }

  uint16(): number {
    return this.take(2).readUInt16BE()
  }

  uint32(): number {
    return this.take(4).readUInt32BE()
  }

  /** Follows compression (RFC 1035, 4.1.4): pointers go back only, so that there is no loop. */
  name(): string {
    const labels: string[] = []
    let end: number | undefined
    let earliest = this.offset
    let total = 1
    for (;;) {
      const at = this.offset
      const length = this.take(1).readUInt8()
      if (length === 0) break
      if (length >= 0xc0) {
        const target = ((length & 0x3f) << 8) | this.take(1).readUInt8()
        end ??= this.offset
        if (target >= earliest || target < headerBytes) throw malformed(at, `a name continues at byte ${target}`)
        earliest = this.offset = target
        continue
      }
      if (length > 63) throw malformed(at, `${length} is no length of a label`)
      total += length + 1
      if (total > 255) throw malformed(at, 'a name is longer than 255 bytes')
      labels.push(labelText(this.take(length)))
    }
    if (end !== undefined) this.offset = end
    return `${labels.join('.')}.`
  }

  /** A length and so many bytes, in which the names of the types that we read are written out. */
  data(type: number): Buffer {
    const length = this.uint16()
    const start = this.offset
    const raw = this.take(length)
    const names = { [types.NS]: 1, [types.CNAME]: 1, [types.SOA]: 2 }[type]
    if (names === undefined) return raw
    this.offset = start
    const parts = Array.from({ length: names }, () => encodeName(this.name()))
    if (this.offset > start + length) throw malformed(this.offset, 'a name goes beyond its record')
    return Buffer.concat([...parts, this.take(start + length - this.offset)])
  }
}

function malformed(offset: number, what: string): HoldfastError {
  return new HoldfastError('command-failed', {
    message: `a DNS message is malformed at byte ${offset}: ${what}`,
    hint: 'check that it is a DNS server that answers there',
    details: { offset },
  })
}
