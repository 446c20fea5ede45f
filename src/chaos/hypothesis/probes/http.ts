import { once } from 'node:events'
import { request as plainRequest, type IncomingMessage } from 'node:http'
import { request as tlsRequest } from 'node:https'
import { HoldfastError, messageOf } from '../../../kernel/index.ts'

export interface HttpQuestion {
  readonly method: string
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string
  readonly verifyTls?: boolean
  /** How many redirects are followed. Default: none, a redirect is an answer. */
  readonly redirects?: number
}

export interface HttpAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

const maxBodyBytes = 4 * 1024 * 1024
/** With these the method and the body stay; with the others it goes on as GET (RFC 9110, 15.4). */
const keepsMethod: ReadonlySet<number> = new Set([307, 308])

/**
 * Asks, on a connection of its own: a pooled one could be older than the fault. Throws `command-failed` when there is no answer, and the
 * signal's reason when aborted.
 */
export async function askHttp(question: HttpQuestion, signal: AbortSignal): Promise<HttpAnswer> {
  let asked = question
  for (let hop = 0; ; hop++) {
    const answer = await askOnce(asked, signal)
    const location = headerOf(answer, 'location')
    const isRedirect = answer.status >= 300 && answer.status < 400 && location !== undefined
    if (!isRedirect || hop >= (question.redirects ?? 0)) return answer
    const next = URL.parse(location, asked.url)
    if (next === null) return answer
    const { body: _body, ...withoutBody } = asked
    const keeps = keepsMethod.has(answer.status) || asked.method === 'HEAD' || asked.method === 'GET'
    asked = { ...(keeps ? asked : { ...withoutBody, method: 'GET' }), url: next.href }
    // What was meant for one server is not told to another.
    if (next.origin !== new URL(question.url).origin) asked = { ...asked, headers: withoutCredentials(asked.headers) }
  }
}

async function askOnce({ url, method, headers, body, verifyTls }: HttpQuestion, signal: AbortSignal): Promise<HttpAnswer> {
  const target = URL.parse(url)
  if (target === null || !/^https?:$/.test(target.protocol)) {
    throw new HoldfastError('usage', { message: 'what stands as the URL of a probe is no http or https URL' })
  }
  const send = target.protocol === 'https:' ? tlsRequest : plainRequest
  const options = {
    method,
    agent: false as const,
    signal,
    headers,
    ...(verifyTls === false ? { rejectUnauthorized: false } : {}),
  }
  const outgoing = send(target, options)
  try {
    outgoing.end(body)
    const [response] = (await once(outgoing, 'response', { signal })) as [IncomingMessage]
    const pieces: Buffer[] = []
    let bytes = 0
    for await (const piece of response as AsyncIterable<Buffer>) {
      if (bytes < maxBodyBytes) pieces.push(piece.subarray(0, maxBodyBytes - bytes))
      bytes += piece.length
    }
    return { status: response.statusCode ?? 0, headers: headersOf(response), body: Buffer.concat(pieces).toString('utf8') }
  } catch (error) {
    signal.throwIfAborted()
    const cause = error instanceof AggregateError && error.errors.length > 0 ? (error.errors as unknown[])[0] : error
    throw new HoldfastError('command-failed', { message: `${target.origin} gave no answer: ${messageOf(cause)}`, cause })
  } finally {
    // How a connection ends that is no longer of interest is of no interest either.
    outgoing.on('error', () => {})
    outgoing.destroy()
  }
}

/** As they came, names and all: several of one name are one, as HTTP joins them. */
function headersOf({ rawHeaders }: IncomingMessage): Record<string, string> {
  const headers: Record<string, string> = {}
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const [name = '', value = ''] = rawHeaders.slice(at, at + 2)
    const known = Object.keys(headers).find((other) => other.toLowerCase() === name.toLowerCase())
    if (known === undefined) headers[name] = value
    else headers[known] = `${headers[known]}, ${value}`
  }
  return headers
}

function withoutCredentials(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !/^(?:authorization|cookie)$/i.test(name)))
}

/** Names of headers are the same in any case. */
export function headerOf({ headers }: Pick<HttpAnswer, 'headers'>, name: string): string | undefined {
  return Object.entries(headers).find(([key]) => key.toLowerCase() === name)?.[1]
}
