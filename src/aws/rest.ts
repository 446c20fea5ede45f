import { setTimeout as delay } from 'node:timers/promises'
import type { AwsClient } from 'aws4fetch'
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

/** By its name in signatures, which is also that of its host: `fis`. */
export async function openRestService(session: AwsSession, service: string): Promise<RestService> {
  const { AwsClient } = await import('aws4fetch')
  const { region, credentials, endpoint } = await session.clientOptions()
  const { defaultProvider } = await import('@aws-sdk/credential-provider-node')
  const keys = credentials ?? (await defaultProvider({ clientConfig: { region } })())
  const client = new AwsClient({ ...keys, service, region, retries: connectionAttempts - 1 })
  const base = endpoint ?? endpointOf(service, region)
  return {
    send: (method, path, body) => (options) =>
      ask(client, method, `${base.replace(/\/$/, '')}${path}`, body, options.abortSignal),
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
  const request = () =>
    client.fetch(url, {
      method,
      signal: AbortSignal.any([signal, AbortSignal.timeout(requestTimeoutMs)]),
      ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
    })
  const answer = await unbroken(request, signal)
  const text = await answer.text()
  if (answer.ok) return JSON.parse(text)
  throw errorOf(answer, text)
}

/** Asks again when a connection broke; what AWS answers, aws4fetch repeats where that helps (429 and 5xx). */
async function unbroken(request: () => Promise<Response>, signal: AbortSignal): Promise<Response> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await request()
    } catch (error) {
      if (attempt === connectionAttempts || signal.aborted) throw error
      await delay(pauseMs * 2 ** attempt, undefined, { signal })
    }
  }
}

/** In the shape of the SDK’s errors: which one it is stands in a header or in the body, with more behind a colon (smithy.io, AWS REST JSON 1.1). */
function errorOf({ status, headers }: Response, text: string): Error {
  const said = (/^\s*\{/.test(text) ? JSON.parse(text) : {}) as {
    readonly __type?: string
    readonly message?: string
    readonly Message?: string
  }
  const named = headers.get('x-amzn-errortype') ?? said.__type ?? `status ${status}`
  const error = new Error(said.message ?? said.Message ?? text.slice(0, 300))
  error.name = named.split(':')[0]?.split('#').at(-1) ?? named
  return Object.assign(error, { $fault: status < 500 ? 'client' : 'server', $metadata: { httpStatusCode: status } })
}
