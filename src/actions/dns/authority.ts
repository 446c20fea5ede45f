import { randomInt } from 'node:crypto'
import { type Clock, HoldfastError, type HostPort } from '../../kernel/index.ts'
import { refusal } from './refusal.ts'
import type { Rrset } from './rrset.ts'
import { serverText } from './server.ts'
import {
  absolute,
  classes,
  decodeMessage,
  encodeMessage,
  exchange,
  flags,
  isSameName,
  type Message,
  opcodes,
  rcodes,
  Reader,
  type ResourceRecord,
  types,
} from '../../dns/index.ts'
import { signMessage, verifyAnswer, type TsigKey, type Verified } from './tsig.ts'

/** The primary server of a zone, and what is needed to change it. All that is asked of it is signed, so that its answers are. */
export interface Authority {
  readonly server: HostPort
  readonly zone: string
  readonly key: TsigKey
  readonly transport: 'tcp' | 'udp'
  /** For one exchange. */
  readonly timeoutMs: number
  readonly clock: Clock
}

/** What stands at a name: the records of the type, or the alias that the name is instead. */
export type Standing = { readonly rrset: Rrset | undefined; readonly alias?: string }

export interface Update {
  readonly prerequisites: readonly ResourceRecord[]
  readonly updates: readonly ResourceRecord[]
}

const maxUdpBytes = 512

/** For how long, in seconds, others may remember that a name does not exist (RFC 2308). Throws `not-found` where the zone is not served. */
export async function readZone(authority: Authority, signal: AbortSignal): Promise<{ readonly negativeTtl: number }> {
  const answer = await query(authority, authority.zone, types.SOA, signal)
  const soa = answer.answers.find(({ name, type }) => type === types.SOA && isSameName(name, authority.zone))
  if (soa === undefined || (answer.bits & flags.authoritative) === 0) throw notServed(authority)
  const reader = new Reader(soa.data)
  reader.name()
  reader.name()
  reader.take(16)
  return { negativeTtl: Math.min(soa.ttl, reader.uint32()) }
}

/** What the server itself has, not what a cache remembers. */
export async function readStanding(authority: Authority, name: string, type: number, signal: AbortSignal): Promise<Standing> {
  const answer = await query(authority, name, type, signal)
  if ((answer.bits & flags.authoritative) === 0) throw notServed(authority)
  const here = answer.answers.filter((record) => isSameName(record.name, name) && record.class === classes.IN)
  const records = here.filter((record) => record.type === type)
  const alias = type === types.CNAME ? undefined : here.find((record) => record.type === types.CNAME)
  const [first] = records
  return {
    rrset: first === undefined ? undefined : { ttl: first.ttl, records: records.map(({ data }) => data) },
    ...(alias === undefined ? {} : { alias: new Reader(alias.data).name() }),
  }
}

/**
 * Sends an update (RFC 2136): all of it is done, or nothing. Gives NOERROR, or the code by which its prerequisites do not hold. Throws
 * `outcome-unknown` when it was sent and nobody knows what became of it.
 */
export async function sendUpdate(authority: Authority, { prerequisites, updates }: Update, signal: AbortSignal): Promise<number> {
  const message = {
    id: randomInt(0x10000),
    opcode: opcodes.UPDATE,
    bits: 0,
    rcode: 0,
    questions: [{ name: authority.zone, type: types.SOA, class: classes.IN }],
    answers: prerequisites,
    authority: updates,
    additional: [],
  }
  const { rcode } = await ask(authority, message, `an update of ${authority.zone}`, signal)
  return rcode
}

async function query(authority: Authority, name: string, type: number, signal: AbortSignal): Promise<Message> {
  const message = {
    id: randomInt(0x10000),
    opcode: opcodes.QUERY,
    bits: 0,
    rcode: 0,
    questions: [{ name, type, class: classes.IN }],
    answers: [],
    authority: [],
    additional: [],
  }
  return await ask(authority, message, `a question about ${absolute(name)}`, signal)
}

/** Codes that are an answer to what was asked, and no refusal. */
const answers: Readonly<Record<number, readonly number[]>> = {
  [opcodes.QUERY]: [rcodes.NOERROR, rcodes.NXDOMAIN],
  [opcodes.UPDATE]: [rcodes.NOERROR, rcodes.NXDOMAIN, rcodes.YXDOMAIN, rcodes.YXRRSET, rcodes.NXRRSET],
}

async function ask(authority: Authority, message: Message, what: string, signal: AbortSignal): Promise<Message> {
  const { server, key, zone, clock } = authority
  const isUpdate = message.opcode === opcodes.UPDATE
  const signed = signMessage(encodeMessage(message), key, clock.now().getTime())
  const accept = (bytes: Uint8Array): { readonly answer: Message; readonly verified: Verified } => {
    const answer = decodeMessage(bytes)
    if (answer.id !== message.id || (answer.bits & flags.response) === 0) throw new Error('it answers another message')
    const verified = verifyAnswer(bytes, answer, key, signed.mac, clock.now().getTime())
    // A server that does not know the key, or does not serve the zone, cannot sign. What it refuses so is believed; nothing else is.
    if (!verified.signed && (answers[message.opcode] ?? []).includes(answer.rcode)) throw new Error(verified.because)
    return { answer, verified }
  }
  const send = (transport: 'tcp' | 'udp') =>
    exchange({ server, transport, message: signed.bytes, timeoutMs: authority.timeoutMs, repeat: !isUpdate }, accept, signal)
  let result = await send(signed.bytes.length > maxUdpBytes ? 'tcp' : authority.transport)
  if (!isUpdate && result.kind === 'answer' && (result.answer.answer.bits & flags.truncated) !== 0) result = await send('tcp')
  if (result.kind !== 'answer') {
    throw new HoldfastError(isUpdate && result.kind === 'no-answer' ? 'outcome-unknown' : 'command-failed', {
      message: `${serverText(server)} does not answer ${what}: ${result.because}`,
      hint: `check that it is reachable from here: \`dig @${server.host} -p ${server.port} ${zone} SOA\``,
      retryable: true,
    })
  }
  const { answer, verified } = result.answer
  if ((answers[message.opcode] ?? []).includes(answer.rcode) && verified.error === 0) return answer
  throw refusal({ server, what, zone, key, nowMs: clock.now().getTime() }, answer, verified)
}

function notServed({ server, zone }: Authority): HoldfastError {
  return new HoldfastError('not-found', {
    message: `${serverText(server)} is not the authority for the zone ${zone}, or for all of it`,
    hint: `name a server that is: \`dig ${zone} SOA\` shows the zone’s primary server`,
  })
}
