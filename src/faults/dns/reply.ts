import {
  classes,
  encodeMessage,
  encodeValue,
  flags,
  isSameName,
  isWithin,
  rcodes,
  recordTypes,
  types,
  type Message,
  type Question,
  type ResourceRecord,
} from '../../dns/index.ts'
import type { Effect } from './effect.ts'

/** Asked for its identity (RFC 4892, with the text that is usual), the resolver says whose it is. */
export const identityQuestion: Question = { name: 'id.server.', type: types.TXT, class: classes.CH }

export function isSameQuestion(a: Question, b: Question): boolean {
  return a.type === b.type && a.class === b.class && isSameName(a.name, b.name)
}

/** Of UDP messages, without and with EDNS (RFC 1035, 4.2.1; RFC 6891, 6.2.5). */
const plainUdpBytes = 512
const ownUdpBytes = 1232

/** No patterns: every name. */
export function matches(patterns: readonly string[], name: string): boolean {
  if (patterns.length === 0) return true
  return patterns.some((pattern) =>
    pattern.startsWith('*.')
      ? isWithin(name, pattern.slice(2)) && !isSameName(name, pattern.slice(2))
      : isSameName(name, pattern),
  )
}

/** What is said instead of the right answer; undefined for nothing at all. */
export function wrongReply(asked: Message, question: Question, effect: Exclude<Effect, { delay: string }>): Message | undefined {
  if ('answer' in effect) return reply(asked, rcodes.NOERROR, recordsFor(question, effect.answer))
  return effect.fail === 'timeout' ? undefined : reply(asked, rcodes[effect.fail], [])
}

export function reply(asked: Message, rcode: number, answers: readonly ResourceRecord[]): Message {
  const hasEdns = asked.additional.some(({ type }) => type === types.OPT)
  return {
    id: asked.id,
    opcode: asked.opcode,
    bits: flags.response | (asked.bits & flags.recursionDesired) | flags.recursionAvailable,
    rcode,
    questions: asked.questions,
    answers,
    authority: [],
    additional: hasEdns ? [{ name: '.', type: types.OPT, class: ownUdpBytes, ttl: 0, data: Buffer.alloc(0) }] : [],
  }
}

export function textRecord(question: Question, text: string): ResourceRecord {
  return { ...question, ttl: 0, data: encodeValue('TXT', text) }
}

/** As it fits: over UDP what is too long is cut off, and asked for again over TCP. */
export function encodeReply(message: Message, asked: Message, transport: 'tcp' | 'udp'): Buffer {
  const bytes = encodeMessage(message)
  const edns = asked.additional.find(({ type }) => type === types.OPT)
  if (transport === 'tcp' || bytes.length <= Math.max(plainUdpBytes, edns?.class ?? 0)) return bytes
  return encodeMessage({ ...message, bits: message.bits | flags.truncated, answers: [] })
}

function recordsFor(question: Question, answer: Extract<Effect, { answer: unknown }>['answer']): ResourceRecord[] {
  const type = answer.CNAME === undefined ? recordTypes.find((known) => types[known] === question.type) : 'CNAME'
  if (type === undefined) return []
  return (answer[type] ?? []).map((value) => ({
    name: question.name,
    type: types[type],
    class: classes.IN,
    ttl: 0,
    data: encodeValue(type, value),
  }))
}
