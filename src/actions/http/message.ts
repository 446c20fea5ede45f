import { type Credentials } from '../../catalog/index.ts'
import { lookup } from 'node:dns/promises'
import { z } from 'zod'
import { messageOf, parseDuration, quote } from '../../kernel/index.ts'
import type { Finding } from '../contract.ts'
import { outputReference, textOrSecret, type TextOrSecret } from '../param-types.ts'

import { shellWord } from '../shell-words.ts'
import { exchange, parseUrl, type HttpRequest, type HttpResult } from './exchange.ts'

/** What a request is made of, in the parameters of every action that sends one. */
export const messageParams = {
  url: textOrSecret.describe('An http or https URL, or a secret that holds one. Messages never show its query.'),
  headers: z.record(z.string(), textOrSecret).describe('Sent with the request: texts, or secrets.').default({}),
} as const

export const bodyParams = {
  body: textOrSecret.describe('Sent as it is. Not together with json.').optional(),
  json: z
    .unknown()
    .describe('Sent as JSON. A value that is secret is written { secret: { env: NAME } }. Not together with body.')
    .optional(),
} as const

export interface Message {
  readonly method: string
  readonly url: TextOrSecret
  readonly headers: Readonly<Record<string, TextOrSecret>>
  readonly body?: TextOrSecret | undefined
  readonly json?: unknown
}

/** An answer that says what the server did, or what is known instead; `location` and the body without secrets. */
export type SentMessage = HttpResult & { readonly location: string }

export interface SendOptions {
  readonly requestTimeout: string
  readonly redirects?: HttpRequest['redirects']
  /** Stronger than the message's own. */
  readonly headers?: Readonly<Record<string, string>>
}

/** Sends a message once; see exchange. */
export async function send(
  message: Message,
  credentials: Credentials,
  options: SendOptions,
  signal: AbortSignal,
): Promise<SentMessage> {
  const url = await credentials.text(message.url)
  const { origin, pathname } = parseUrl(url)
  // A webhook's path is often its password.
  const location = typeof message.url === 'string' ? `${origin}${pathname}` : origin
  const headers = { ...(await credentials.texts(message.headers)), ...options.headers }
  const body = await bodyOf(message, credentials)
  const isTyped = Object.keys(headers).some((name) => name.toLowerCase() === 'content-type')
  if (message.json !== undefined && !isTyped) headers['content-type'] = 'application/json'
  const { method } = message
  const timeoutMs = parseDuration(options.requestTimeout)
  const request = {
    method,
    url,
    headers,
    timeoutMs,
    redirects: options.redirects ?? 'answer',
    ...(body === undefined ? {} : { body }),
  }
  const result = await exchange(request, signal)
  if (result.kind === 'answer') return { ...result, location, body: credentials.redact(result.body) }
  return { ...result, location, because: credentials.redact(result.because) }
}

/** What can be seen before anything is sent: that the secrets exist, and that the host has an address. */
export async function messageFindings(message: Message, credentials: Credentials): Promise<Finding[]> {
  await credentials.texts(message.headers)
  if (message.body !== undefined) await credentials.text(message.body)
  await credentials.json(message.json)
  return await hostFindings(await credentials.text(message.url))
}

/** A warning when the host of a URL has no address yet; nothing for a URL that is not known before an earlier step has run. */
export async function hostFindings(url: string): Promise<Finding[]> {
  if (outputReference.test(url)) return []
  const host = parseUrl(url).hostname.replace(/^\[|\]$/g, '')
  try {
    await lookup(host)
    return []
  } catch (error) {
    const message = `${host} cannot be resolved: ${messageOf(error)}`
    return [
      { severity: 'warning', code: 'host-unresolved', message, hint: 'check the name, or whether the plan creates it first' },
    ]
  }
}

/** The same with curl, secrets by where they are. */
export function asCurl({ method, url, headers, body, json }: Message, extraHeaders: readonly string[] = []): string {
  const typed = json === undefined ? [] : ['Content-Type: application/json']
  const words = [
    'curl -sS -i',
    `-X ${method}`,
    ...Object.entries(headers).map(([name, value]) => `-H ${shellWord(value, `${name}: `)}`),
    ...[...extraHeaders, ...typed].map((header) => `-H ${quote(header)}`),
    ...(body === undefined ? [] : [`--data-binary ${shellWord(body)}`]),
    ...(json === undefined ? [] : [`--data-binary ${quote(JSON.stringify(json))}`]),
    shellWord(url),
  ]
  return words.join(' ')
}

async function bodyOf({ body, json }: Message, credentials: Credentials): Promise<string | undefined> {
  if (json !== undefined) return JSON.stringify(await credentials.json(json))
  return body === undefined ? undefined : await credentials.text(body)
}
