import { z } from 'zod'
import { canonicalJson, HoldfastError, isHoldfastError, type Json } from '../kernel/index.ts'
import { Credentials, durationText, text } from '../catalog/index.ts'
import { done, halfDone, notDone, unknown, type ActionContext, type Attempt, type Probe } from './contract.ts'
import { defineAction } from './define-action.ts'

import { asCurl, bodyParams, messageFindings, messageParams, send, type Message, type SentMessage } from './http/message.ts'
import { farthest, reachOfUrl } from './reach.ts'

const statuses = z.union([z.int().min(100).max(599), z.array(z.int().min(100).max(599)).min(1)])
const method = z.enum(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'])
const success = [200, 201, 202, 204]

const probe = z.strictObject({
  ...messageParams,
  method: z.enum(['GET', 'HEAD', 'POST']).describe('How it asks.').default('GET'),
  ...bodyParams,
  status: statuses.describe('The answer, or answers, of which it is done.').default(200),
  jsonEquals: z
    .record(text, z.unknown())
    .describe('What must stand in the answer’s JSON as well, by its place: { data.state: active }. If not, it is not done.')
    .default({}),
  notDone: statuses.describe('The answers of which it is not done. Any other answer, and none, is unknown.').default([404, 410]),
})

const undo = z.strictObject({
  ...messageParams,
  method: method.describe('How it is sent.').default('POST'),
  ...bodyParams,
  status: statuses.describe('The answer, or answers, by which it is taken back.').default([...success, 404, 410]),
})

const params = z
  .strictObject({
    method: method.describe('How it is sent.').default('POST'),
    ...messageParams,
    ...bodyParams,
    status: statuses.describe('The answer, or answers, by which it is done.').default(success),
    redirects: z
      .enum(['answer', 'same-origin'])
      .describe(
        'answer: a redirect is an answer like any other. same-origin: followed to the same scheme, host and port, with the same method and body only.',
      )
      .default('answer'),
    idempotencyHeader: text
      .describe(
        'The header by which the server knows a request that it has already had, such as Idempotency-Key: the same for every attempt.',
      )
      .optional(),
    idempotent: z
      .boolean()
      .describe('Sending it again after an interruption does no harm. So it is taken with an idempotencyHeader.')
      .default(false),
    probe: probe.describe('Reads whether it is done.').optional(),
    undo: undo
      .describe(
        'Takes it back; doing that twice must be fine. What needs this request’s output belongs into the step’s own undo.',
      )
      .optional(),
    effect: z
      .enum(['read-only', 'reversible', 'point-of-no-return'])
      .describe('A read-only request is a check. After a point of no return nothing is undone.')
      .default('reversible'),
    capture: z
      .boolean()
      .describe('Keeps the answer as the outputs `body` and, where it is JSON, `json`: they are then in the journal.')
      .default(false),
    requestTimeout: durationText.describe('For one request, from its start to the end of the answer.').default('30s'),
  })
  .refine(({ body, json }) => body === undefined || json === undefined, { message: "a request has either 'body' or 'json'" })

type Params = z.infer<typeof params>

/** Of these, a server that has done something would not speak (RFC 9110, 15.5 and 15.6): the request was refused as a whole. */
const refusals: ReadonlySet<number> = new Set([501, 503, 505])
const maxCapturedChars = 64 * 1024

/**
 * Sends an HTTP request. When nobody knows what became of it (no answer, or one such as 500 or 504), it is never repeated blindly: its probe
 * decides, else only a request that is idempotent goes out again.
 */
export const httpRequest = defineAction<Params>({
  kind: 'http.request',
  description:
    'Sends an HTTP request. When nobody knows what became of it (no answer, or one such as 500 or 504), it is never repeated blindly: its `probe` decides, and without one only a request that is idempotent goes out again. Outputs: `status`, `elapsedMs` and, with `capture`, `body` and `json`.',
  example: {
    url: 'https://api.example.com/v1/maintenance',
    headers: { Authorization: { env: 'API_AUTHORIZATION' } },
    json: { state: 'on' },
    probe: { url: 'https://api.example.com/v1/maintenance', jsonEquals: { state: 'on' } },
    undo: { method: 'DELETE', url: 'https://api.example.com/v1/maintenance' },
  },
  effect: ({ effect }) => effect,
  params,

  async preflight(p, context, signal) {
    const credentials = new Credentials(context, signal)
    const messages: Message[] = [p, ...(p.probe === undefined ? [] : [p.probe]), ...(p.undo === undefined ? [] : [p.undo])]
    return (await Promise.all(messages.map((message) => messageFindings(message, credentials)))).flat()
  },

  async probe(p, context, { signal, previous }) {
    if (p.probe !== undefined) return await ask(p.probe, p, context, signal)
    if (previous !== 'interrupted' || p.effect === 'read-only') return notDone
    // It may be there: safe to send again, and something to take back if that is not to be.
    if (p.idempotent || p.idempotencyHeader !== undefined) return halfDone
    return unknown("the request may have been carried out, and has neither 'probe' nor 'idempotent'")
  },

  async run(p, context, { signal, idempotencyKey }) {
    const credentials = new Credentials(context, signal)
    const startedMs = context.clock.monotonicMs()
    const sent = await send(p, credentials, { ...p, headers: keyHeader(p, idempotencyKey) }, signal)
    const accepted = [p.status].flat()
    if (sent.kind === 'answer' && accepted.includes(sent.status)) {
      const elapsedMs = Math.round(context.clock.monotonicMs() - startedMs)
      return { status: sent.status, elapsedMs, ...(p.capture ? captured(sent) : {}) }
    }
    const isSafe = p.effect === 'read-only' || p.method === 'GET' || p.method === 'HEAD'
    throw failure(sent, accepted, isSafe || isRefused(sent) ? 'command-failed' : 'outcome-unknown')
  },

  canUndo: (p) => p.undo !== undefined,
  async undo(p, _output, context, { signal, idempotencyKey }: Attempt) {
    if (p.undo === undefined) return
    const credentials = new Credentials(context, signal)
    const headers = keyHeader(p, `${idempotencyKey}/undo`)
    const sent = await send(p.undo, credentials, { requestTimeout: p.requestTimeout, headers }, signal)
    const accepted = [p.undo.status].flat()
    if (sent.kind !== 'answer' || !accepted.includes(sent.status)) throw failure(sent, accepted, 'command-failed')
  },

  reach: ({ url, probe, undo }) => farthest([url, ...[probe, undo].flatMap((part) => part?.url ?? [])].map(reachOfUrl)),

  manual: (p) => [
    `${asCurl(p, p.idempotencyHeader === undefined ? [] : [`${p.idempotencyHeader}: one-value-for-all-attempts`])}   # expect ${[p.status].flat().join(' or ')}`,
    ...(p.probe === undefined ? [] : [`${asCurl(p.probe)}   # is it done? ${expectation(p.probe)}`]),
  ],
})

function keyHeader({ idempotencyHeader }: Params, key: string): Record<string, string> {
  return idempotencyHeader === undefined ? {} : { [idempotencyHeader]: key }
}

function isRefused(sent: SentMessage): boolean {
  if (sent.kind !== 'answer') return sent.kind === 'not-sent'
  return refusals.has(sent.status) || (sent.status >= 400 && sent.status < 500 && sent.status !== 408)
}

async function ask(
  asked: z.infer<typeof probe>,
  { requestTimeout }: Params,
  context: ActionContext,
  signal: AbortSignal,
): Promise<Probe> {
  let sent: SentMessage
  try {
    sent = await send(asked, new Credentials(context, signal), { requestTimeout }, signal)
  } catch (error) {
    if (!isHoldfastError(error, 'secret-unavailable')) throw error
    return unknown(`its probe cannot ask: ${error.message}`)
  }
  if (sent.kind !== 'answer') return unknown(`its probe got no answer from ${sent.location}: ${sent.because}`)
  if ([asked.notDone].flat().includes(sent.status)) return notDone
  if (![asked.status].flat().includes(sent.status)) return unknown(`its probe was answered ${sent.status} by ${sent.location}`)
  const wanted = Object.entries(asked.jsonEquals)
  if (wanted.length === 0) return done({ status: sent.status })
  const found = parseJson(sent)
  if (found === undefined) return unknown(`its probe was answered by ${sent.location} with what is not JSON`)
  const isSo = wanted.every(([path, value]) => {
    const there = memberAt(found, path)
    return there !== undefined && canonicalJson(there) === canonicalJson(value)
  })
  return isSo ? done({ status: sent.status }) : notDone
}

/** The member at `data.items.0.state`. */
function memberAt(value: Json, path: string): Json | undefined {
  let here: Json | undefined = value
  for (const name of path.split('.')) {
    if (typeof here !== 'object' || here === null || !Object.hasOwn(here, name)) return undefined
    here = (here as Readonly<Record<string, Json>>)[name]
  }
  return here
}

function parseJson({ body, cutShort }: Extract<SentMessage, { kind: 'answer' }>): Json | undefined {
  if (cutShort) return undefined
  try {
    return JSON.parse(body) as Json
  } catch {
    return undefined
  }
}

function captured(sent: Extract<SentMessage, { kind: 'answer' }>): Record<string, Json> {
  const body = sent.body.slice(0, maxCapturedChars)
  const json = sent.body.length > maxCapturedChars ? undefined : parseJson(sent)
  return { body, ...(json === undefined ? {} : { json }) }
}

function failure(sent: SentMessage, accepted: readonly number[], code: 'command-failed' | 'outcome-unknown'): HoldfastError {
  const what =
    sent.kind === 'answer' ? `answered ${sent.status}, not ${accepted.join(' or ')}${excerpt(sent.body)}` : sent.because
  return new HoldfastError(code, {
    message: `${sent.location} ${sent.kind === 'not-sent' ? '(nothing was sent) ' : ''}${what}`,
    retryable: true,
    details: {
      location: sent.location,
      ...(sent.kind === 'answer' ? { status: sent.status } : { sent: sent.kind === 'no-answer' }),
    },
    ...(code === 'outcome-unknown' ? { hint: 'look whether it was carried out; a probe would see that by itself' } : {}),
  })
}

function excerpt(body: string): string {
  const line = body.replaceAll(/\s+/g, ' ').trim().slice(0, 200)
  return line === '' ? '' : `: ${line}`
}

function expectation({ status, jsonEquals }: z.infer<typeof probe>): string {
  const members = Object.entries(jsonEquals).map(([path, value]) => `${path} = ${JSON.stringify(value)}`)
  return [[status].flat().join(' or '), ...members].join(', ')
}
