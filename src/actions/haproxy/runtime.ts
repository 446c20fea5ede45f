import { once } from 'node:events'
import { connect } from 'node:net'
import { z } from 'zod'
import { text } from '../../catalog/index.ts'
import { HoldfastError, messageOf, parseHostPort } from '../../kernel/index.ts'
import { outputReference } from '../param-types.ts'

/** HAProxy's runtime API: a line of text each way (management.txt, section 9.3). */
export interface RuntimeApi {
  /** The path of a Unix socket, or HOST:PORT. */
  readonly socket: string
  /** For one command. */
  readonly timeoutMs: number
}

export const runtimeSocket = text
  .refine((socket) => outputReference.test(socket) || socket.startsWith('/') || parseHostPort(socket) !== undefined)
  .meta({ expected: 'the absolute path of a socket, or HOST:PORT' })

/** A name of the configuration. What else could stand there would be another command. */
export const haproxyName = z
  .string()
  .regex(/^(?:[A-Za-z0-9_.:-]+|\$\{steps\.[^}]+\})$/)
  .meta({ expected: 'a name of letters, digits, dots, colons, hyphens and underscores' })

const maxAnswerBytes = 4 * 1024 * 1024

/**
 * Sends one command, and gives its answer without the line ends around it. Throws `command-failed` when it was not sent, and
 * `outcome-unknown` when it was and the answer did not come. What an answer means is for the caller to say: errors are texts like others.
 */
export async function askRuntime(
  { socket: address, timeoutMs }: RuntimeApi,
  command: string,
  signal: AbortSignal,
): Promise<string> {
  if (/[;\n\r]/.test(command)) throw new HoldfastError('internal', { message: 'one command at a time' })
  const timeout = AbortSignal.timeout(timeoutMs)
  let sent = false
  try {
    const at = address.startsWith('/') ? { path: address } : (parseHostPort(address) ?? { path: address })
    const socket = connect({ ...at, signal: AbortSignal.any([signal, timeout]) })
    try {
      await once(socket, 'connect')
      sent = true
      socket.write(`${command}\n`)
      let answer = ''
      for await (const piece of socket.setEncoding('utf8') as AsyncIterable<string>) {
        answer += piece
        if (answer.length > maxAnswerBytes) throw new Error(`its answer is longer than ${maxAnswerBytes} bytes`)
      }
      // Every answer ends with an empty line; without it, it was cut off.
      if (!answer.endsWith('\n')) throw new Error('the connection broke')
      return answer.trim()
    } finally {
      socket.destroy()
    }
  } catch (error) {
    signal.throwIfAborted()
    const because = timeout.aborted ? `no answer within ${timeoutMs} ms` : messageOf(error)
    throw new HoldfastError(sent ? 'outcome-unknown' : 'command-failed', {
      message: `HAProxy at ${address} does not answer '${command}': ${because}`,
      hint: sent
        ? 'see its log'
        : 'check that it runs, that its configuration has this `stats socket`, and that this user may open it',
      retryable: true,
      cause: error,
    })
  }
}

/** Throws `command-failed` unless the answer is what it says on success. */
export async function tellRuntime(api: RuntimeApi, command: string, expected: RegExp, signal: AbortSignal): Promise<void> {
  const answer = await askRuntime(api, command, signal)
  if (expected.test(answer)) return
  const denied = answer === 'Permission denied'
  throw new HoldfastError(denied ? 'permission-denied' : 'command-failed', {
    message: `HAProxy answered '${command}' with: ${answer.split('\n')[0]}`,
    hint: denied ? 'its `stats socket` needs `level admin`' : 'see the management guide of its version for this command',
  })
}
