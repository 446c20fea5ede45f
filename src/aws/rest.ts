import { setTimeout as delay } from 'node:timers/promises'
import type { AwsClient } from 'aws4fetch'
import { HoldfastError } from '../kernel/index.ts'
import { connectionAttempts, requestTimeoutMs, type AwsSession } from './session.ts'

/** A service of AWS that speaks JSON over REST, for which there is no client here. */
export interface RestService {
  /** The answer as JSON. Throws what a client of the SDK would, for AwsSession.call. Throttling and broken connections are retried: every call is to be one that may come twice. */
  send(
    method: 'GET' | 'POST' | 'DELETE',
    path: string,
    body?: object,
  ): (options: { readonly abortSignal: AbortSignal }) => Promise<unknown>
}

const pauseMs = 50

/** By its name in signatures, which is also that of its host: `fis`. Nothing is asked, and no credentials are looked for, before the first call. */
export function openRestService(session: AwsSession, service: string): RestService {
  const open = async () => {
    const { AwsClient } = await import('aws4fetch')
    const { region, credentials, endpoint } = await session.clientOptions()
    const { defaultProvider } = await import('@aws-sdk/credential-provider-node')
    const keys = credentials ?? (await defaultProvider({ clientConfig: { region } })())
    const client = new AwsClient({ ...keys, service, region, retries: connectionAttempts - 1 })
    return { client, base: (endpoint ?? endpointOf(service, region)).replace(/\/$/, '') }
  }
  let opened: ReturnType<typeof open> | undefined
  return {
    send: (method, path, body) => async (options) => {
      const { client, base } = await (opened ??= open())
      return await ask(client, method, `${base}${path}`, body, options.abortSignal)
    },
  }
}

/** As the SDK’s clients find it (Service-specific endpoints, AWS SDKs and Tools Reference Guide). */
function endpointOf(service: string, region: string): string {
  const set = process.env[`AWS_ENDPOINT_URL_${service.toUpperCase()}`] ?? process.env.AWS_ENDPOINT_URL
  return set ?? `https://${service}.${region}.amazonaws.com${region.startsWith('cn-') ? '.cn' : ''}`
}

async function ask(
  client: AwsClient,
  method: string,
  url: string,
  body: object | undefined,
  signal: AbortSignal,
): Promise<unknown> {
  const request = async () => {
    const answer = await client.fetch(url, {
      method,
      signal: AbortSignal.any([signal, AbortSignal.timeout(requestTimeoutMs)]),
      ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
    })
    return { answer, text: await answer.text() }
  }
  const { answer, text } = await unbroken(request, signal)
  const said = parse(text)
  if (!answer.ok) throw errorOf(answer, said, text)
  if (said !== undefined || text === '') return said
  throw new HoldfastError('command-failed', {
    message: `${method} ${url}: what answered is no service of AWS: ${inBrief(text)}`,
    hint: 'check `endpoint`, and what stands between this machine and AWS (a proxy, a portal that wants a login)',
  })
}

/** Asks again when a connection broke; what AWS answers, aws4fetch repeats where that helps (429 and 5xx). */
async function unbroken<T>(request: () => Promise<T>, signal: AbortSignal): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await request()
    } catch (error) {
      if (attempt === connectionAttempts || signal.aborted) throw whyBroken(error)
      await delay(pauseMs * 2 ** attempt, undefined, { signal })
    }
  }
}

/** Of fetch, which only says that it failed; of several addresses, the first. */
function whyBroken(error: unknown): unknown {
  const cause = error instanceof TypeError && error.cause !== undefined ? error.cause : error
  return cause instanceof AggregateError ? (cause.errors[0] as unknown) : cause
}

/** In the shape of the SDK’s errors: which one it is stands in a header or in the body, with more behind a colon (smithy.io, AWS REST JSON 1.1). */
function errorOf({ status, headers }: Response, body: unknown, text: string): Error {
  const said = (typeof body === 'object' && body !== null ? body : {}) as {
    readonly __type?: string
    readonly message?: string
    readonly Message?: string
  }
  const named = headers.get('x-amzn-errortype') ?? said.__type ?? `status ${status}`
  const error = new Error(said.message ?? said.Message ?? inBrief(text))
  error.name = named.split(':')[0]?.split('#').at(-1) ?? named
  return Object.assign(error, { $fault: status < 500 ? 'client' : 'server', $metadata: { httpStatusCode: status } })
}

/** Undefined for what is no JSON. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** What a page says, without its markup. */
function inBrief(text: string): string {
  return text
    .replaceAll(/<(?:style|script)[\s\S]*?<\/(?:style|script)>|<[^>]*>/g, ' ')
    .replaceAll(/\s+/g, ' ')
    .trim()
    .slice(0, 300)
}
