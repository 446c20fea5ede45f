/** A resolver that does not always say what is right, until it ends: see holder/hold.ts. */
import { setTimeout as delay } from 'node:timers/promises'
import { decodeMessage, exchange, flags, opcodes, rcodes, type Message } from '../../dns/index.ts'
import { parseDuration, type HostPort } from '../../kernel/index.ts'
import { hold } from '../holder/hold.ts'
import type { Effect } from './effect.ts'
import { encodeReply, identityQuestion, isSameQuestion, matches, reply, textRecord, wrongReply } from './reply.ts'
import { listen, type Transport } from './server.ts'

type Task = {
  readonly identity: string
  readonly listen: HostPort
  /** Absent: nothing is known but what is wrong. */
  readonly upstream?: HostPort
  readonly names: readonly string[]
  readonly effect: Effect
  readonly percent: number
}

const upstreamMs = 5000
const { signal } = new AbortController()

hold<Task>(async (task) => {
  await listen(task.listen, (bytes, transport) => answer(task, bytes, transport))
  return task.identity
})

async function answer(task: Task, bytes: Buffer, transport: Transport): Promise<Uint8Array | undefined> {
  const asked = tryDecode(bytes)
  if (asked === undefined || (asked.bits & flags.response) !== 0) return undefined
  const [question] = asked.questions
  if (asked.opcode !== opcodes.QUERY || question === undefined) return await ask(task, bytes, asked, transport)
  if (isSameQuestion(question, identityQuestion)) {
    return encodeReply(reply(asked, rcodes.NOERROR, [textRecord(question, task.identity)]), asked, transport)
  }
  if (!matches(task.names, question.name) || Math.random() * 100 >= task.percent) return await ask(task, bytes, asked, transport)
  if ('delay' in task.effect) {
    await delay(parseDuration(task.effect.delay))
    return await ask(task, bytes, asked, transport)
  }
  const wrong = wrongReply(asked, question, task.effect)
  return wrong === undefined ? undefined : encodeReply(wrong, asked, transport)
}

/** The right answer, byte for byte. */
async function ask({ upstream }: Task, message: Buffer, asked: Message, transport: Transport): Promise<Uint8Array> {
  if (upstream === undefined) return encodeReply(reply(asked, rcodes.REFUSED, []), asked, transport)
  const accept = (bytes: Uint8Array) => {
    if (Buffer.from(bytes).readUInt16BE() !== asked.id) throw new Error('it answers another message')
    return bytes
  }
  // Who asks, asks again.
  const result = await exchange({ server: upstream, transport, message, timeoutMs: upstreamMs, repeat: false }, accept, signal)
  return result.kind === 'answer' ? result.answer : encodeReply(reply(asked, rcodes.SERVFAIL, []), asked, transport)
}

function tryDecode(bytes: Buffer): Message | undefined {
  try {
    return decodeMessage(bytes)
  } catch {
    return undefined
  }
}
