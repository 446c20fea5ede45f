import { randomInt } from 'node:crypto'
import type { HostPort } from '../kernel/index.ts'
import { exchange, type ExchangeResult } from './exchange.ts'
import {
  classes,
  decodeMessage,
  encodeMessage,
  flags,
  opcodes,
  rcodeName,
  rcodes,
  Reader,
  types,
  type Message,
  type Question,
} from './message.ts'
import { isSameName } from './name.ts'
import { valueText, type RecordType } from './rdata.ts'

/** What a server says to anybody who asks. `remainingSeconds`: for how long it, or who asked it, may go on saying so without asking anew. */
export type Said =
  | { readonly kind: 'values'; readonly values: readonly string[]; readonly remainingSeconds: number }
  | { readonly kind: 'nothing'; readonly remainingSeconds: number | undefined }
  | { readonly kind: 'refused' | 'silent'; readonly because: string }

/** Asks as a client would: not signed, and content with what a cache remembers. */
export async function askServer(
  server: HostPort,
  name: string,
  type: RecordType,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<Said> {
  const result = await query(server, { name, type: types[type], class: classes.IN }, timeoutMs, signal)
  return result.kind === 'answer' ? whatItSays(result.answer, types[type]) : { kind: 'silent', because: result.because }
}

/** One question, over UDP, and over TCP when the answer was cut off. */
export async function query(
  server: HostPort,
  question: Question,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<ExchangeResult<Message>> {
  const message: Message = {
    id: randomInt(0x10000),
    opcode: opcodes.QUERY,
    bits: flags.recursionDesired,
    rcode: 0,
    questions: [question],
    answers: [],
    authority: [],
    additional: [],
  }
  const accept = (bytes: Uint8Array): Message => {
    const answer = decodeMessage(bytes)
    const isIt = answer.id === message.id && (answer.bits & flags.response) !== 0
    if (!isIt || !answer.questions.every((asked) => isSameName(asked.name, question.name) && asked.type === question.type)) {
      throw new Error('it answers another message')
    }
    return answer
  }
  const send = (transport: 'tcp' | 'udp') =>
    exchange({ server, transport, message: encodeMessage(message), timeoutMs, repeat: true }, accept, signal)
  const result = await send('udp')
  return result.kind === 'answer' && (result.answer.bits & flags.truncated) !== 0 ? await send('tcp') : result
}

function whatItSays({ rcode, answers, authority }: Message, type: number): Said {
  if (rcode !== rcodes.NOERROR && rcode !== rcodes.NXDOMAIN) return { kind: 'refused', because: rcodeName(rcode) }
  const found = answers.filter((record) => record.type === type)
  if (found.length > 0) {
    // The aliases on the way are remembered too.
    const remainingSeconds = Math.min(...answers.map(({ ttl }) => ttl))
    return { kind: 'values', values: found.map(({ data }) => valueText(type, data)).toSorted(), remainingSeconds }
  }
  const soa = authority.find((record) => record.type === types.SOA)
  if (soa === undefined) return { kind: 'nothing', remainingSeconds: undefined }
  // RFC 2308, section 5.
  return { kind: 'nothing', remainingSeconds: Math.min(soa.ttl, new Reader(soa.data.subarray(-4)).uint32()) }
}
