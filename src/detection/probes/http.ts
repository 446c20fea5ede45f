import { once } from 'node:events'
import { request as plainRequest, type IncomingMessage } from 'node:http'
import { request as tlsRequest } from 'node:https'
import { messageOf } from '../../kernel/index.ts'

/** Asks once, on a connection of its own: a pooled one may outlive what it led to. Redirects are answers. Gives why it is not well. */
export async function lookAtHttp(url: string, status: number, signal: AbortSignal): Promise<string | undefined> {
  const send = url.startsWith('https:') ? tlsRequest : plainRequest
  const outgoing = send(url, { agent: false, signal, headers: { 'user-agent': 'holdfast-observer' } })
  try {
    outgoing.end()
    const [response] = (await once(outgoing, 'response', { signal })) as [IncomingMessage]
    const answered = response.statusCode
    return answered === status ? undefined : `answered ${answered}, not ${status}`
  } catch (error) {
    signal.throwIfAborted()
    return messageOf(error instanceof AggregateError ? (error.errors as unknown[])[0] : error)
  } finally {
    // What comes after the status is of no interest, and neither is how that ends.
    outgoing.on('error', () => {})
    outgoing.destroy()
  }
}
