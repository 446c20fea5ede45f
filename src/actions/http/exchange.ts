import { once } from 'node:events'
import { request as plainRequest, type ClientRequest, type IncomingMessage } from 'node:http'
import { request as tlsRequest } from 'node:https'
import type { TLSSocket } from 'node:tls'
import { HoldfastError, messageOf } from '../../kernel/index.ts'

export interface HttpRequest {
  readonly method: string
  /** http or https. */
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string
  /** From the start to the end of the answer, redirects included. */
  readonly timeoutMs: number
  /** `same-origin`: up to five redirects to the same scheme, host and port, with the method and body unchanged. */
  readonly redirects: 'answer' | 'same-origin'
}

/**
 * How an exchange ended. `not-sent`: no byte of the request left this machine. `no-answer`: some did, and nobody knows what the server
 * made of it.
 */
export type HttpResult =
  | { readonly kind: 'answer'; readonly status: number; readonly body: string; readonly cutShort: boolean }
  | { readonly kind: 'not-sent' | 'no-answer'; readonly because: string }

const maxBodyBytes = 256 * 1024
const maxRedirects = 5
/** Without these two a method would turn into GET (RFC 9110, 15.4). */
const keepsMethod: ReadonlySet<number> = new Set([307, 308])
const movesGet: ReadonlySet<number> = new Set([301, 302, 303])

/**
 * Sends a request once, on a connection of its own: a pooled one that the server has just closed could not be told from a request that it
 * received. Nothing is repeated. Throws the signal's reason when aborted.
 */
export async function exchange(request: HttpRequest, signal: AbortSignal): Promise<HttpResult> {
  const timeout = AbortSignal.timeout(request.timeoutMs)
  const either = AbortSignal.any([signal, timeout])
  let url = parseUrl(request.url)
  for (let hop = 0; ; hop++) {
    const result = await sendOnce({ ...request, url }, either)
    signal.throwIfAborted()
    if ('because' in result) {
      // What was redirected has been sent, and answered by the first server.
      const kind = hop > 0 ? 'no-answer' : result.kind
      return { kind, because: timeout.aborted ? `did not answer within ${request.timeoutMs} ms` : result.because }
    }
    const { location, ...answer } = result
    const follows = request.redirects === 'same-origin' && location !== undefined && mayFollow(request.method, answer.status)
    const next = follows ? URL.parse(location, url) : null
    if (next === null || next.origin !== url.origin || hop === maxRedirects) return answer
    url = next
  }
}

/** Throws `usage` for what is no http or https URL. The URL is not repeated: it may be a secret. */
export function parseUrl(url: string): URL {
  const parsed = URL.parse(url)
  if (parsed !== null && (parsed.protocol === 'http:' || parsed.protocol === 'https:')) return parsed
  throw new HoldfastError('usage', { message: 'what stands as the URL is not an http or https URL' })
}

type Sent = Exclude<HttpResult, { kind: 'answer' }> | (Extract<HttpResult, { kind: 'answer' }> & { readonly location?: string })

async function sendOnce(request: Omit<HttpRequest, 'url'> & { readonly url: URL }, signal: AbortSignal): Promise<Sent> {
  const { url, method, body } = request
  const send = url.protocol === 'https:' ? tlsRequest : plainRequest
  let sent = false
  try {
    const headers = { 'user-agent': 'holdfast', 'accept-encoding': 'identity', ...request.headers }
    const outgoing = send(url, { method, agent: false, signal, headers })
    outgoing.once('socket', (socket) => {
      // Node holds the request back until it is connected, over TLS until the certificate is accepted.
      socket.once('encrypted' in socket && (socket as TLSSocket).encrypted ? 'secureConnect' : 'connect', () => (sent = true))
    })
    const answered = answerTo(outgoing)
    outgoing.end(body)
    const response = await answered
    const read = await readBody(response)
    const { location } = response.headers
    return { kind: 'answer', status: response.statusCode ?? 0, ...read, ...(location === undefined ? {} : { location }) }
  } catch (error) {
    return { kind: sent ? 'no-answer' : 'not-sent', because: reasonOf(error, sent) }
  }
}

async function answerTo(outgoing: ClientRequest): Promise<IncomingMessage> {
  const [response] = (await once(outgoing, 'response')) as [IncomingMessage]
  // A connection that breaks while the body is read shows at the response; without a listener the request's own error would end the process.
  outgoing.on('error', () => {})
  return response
}

/** The first part of the body, read to its end so that a connection that breaks half-way is noticed. */
async function readBody(response: IncomingMessage): Promise<{ readonly body: string; readonly cutShort: boolean }> {
  const pieces: Buffer[] = []
  let bytes = 0
  for await (const piece of response as AsyncIterable<Buffer>) {
    if (bytes < maxBodyBytes) pieces.push(piece.subarray(0, maxBodyBytes - bytes))
    bytes += piece.length
  }
  return { body: Buffer.concat(pieces).toString('utf8'), cutShort: bytes > maxBodyBytes }
}

function mayFollow(method: string, status: number): boolean {
  return keepsMethod.has(status) || (movesGet.has(status) && (method === 'GET' || method === 'HEAD'))
}

function reasonOf(error: unknown, sent: boolean): string {
  const cause = error instanceof AggregateError && error.errors.length > 0 ? (error.errors as unknown[])[0] : error
  return `${sent ? 'the connection broke' : 'it cannot be reached'}: ${messageOf(cause)}`
}
