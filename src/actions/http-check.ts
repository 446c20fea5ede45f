import { z } from 'zod'
import { HoldfastError, messageOf, parseDuration, quote } from '../kernel/index.ts'
import { durationText } from '../catalog/index.ts'
import { defineAction } from './define-action.ts'
import { parseUrl } from './http/exchange.ts'
import { hostFindings } from './http/message.ts'
import { textOrSecret } from './param-types.ts'
import { reachOfUrl } from './reach.ts'

const params = z.strictObject({
  url: z.string().min(1).describe('An http or https URL. Redirects are answers, not followed.'),
  status: z
    .union([z.int(), z.array(z.int()).min(1)])
    .describe('One status, or several of which each will do.')
    .default(200),
  contains: z.string().min(1).describe('A text that the body must contain.').optional(),
  headers: z.record(z.string(), textOrSecret).describe('Sent with the request: texts, or secrets.').default({}),
  requestTimeout: durationText.describe('For one request, from its start to the end of the body.').default('10s'),
})

const maxBodyBytes = 1024 * 1024

/** Asks an HTTP service once whether it answers as it should. Redirects are answers, not followed. */
export const httpCheck = defineAction<z.infer<typeof params>>({
  kind: 'http.check',
  description:
    'Asks an HTTP service once whether it answers as it should. As the `check` of another step it is asked until it does. Outputs: `status`, `elapsedMs`.',
  example: { url: 'https://api.example.com/health', status: 200, contains: 'ok' },
  effect: 'read-only',
  params,

  preflight: ({ url }) => hostFindings(url),

  async run({ url, status, contains, headers, requestTimeout }, context, { signal }) {
    parseUrl(url)
    const sent = new Headers()
    for (const [name, value] of Object.entries(headers)) {
      sent.set(name, typeof value === 'string' ? value : (await context.resolveSecret(value, signal)).reveal())
    }
    const startedMs = context.clock.monotonicMs()
    const timeout = AbortSignal.timeout(parseDuration(requestTimeout))
    let response: Response
    let body: string
    try {
      response = await fetch(url, { headers: sent, redirect: 'manual', signal: AbortSignal.any([signal, timeout]) })
      body = await readBody(response)
    } catch (error) {
      signal.throwIfAborted()
      throw failed(url, timeout.aborted ? `did not answer within ${requestTimeout}` : `cannot be reached: ${reasonOf(error)}`)
    }
    const accepted = [status].flat()
    if (!accepted.includes(response.status)) throw failed(url, `answered ${response.status}, not ${accepted.join(' or ')}`)
    if (contains !== undefined && !body.includes(contains)) throw failed(url, `answered without the text '${contains}'`)
    return { status: response.status, elapsedMs: Math.round(context.clock.monotonicMs() - startedMs) }
  },

  reach: ({ url }) => reachOfUrl(url),

  manual: ({ url, status }) => [
    `curl -sS -o /dev/null -w '%{http_code}\\n' ${quote(url)}   # expect ${[status].flat().join(' or ')}`,
  ],
})

/** The first part of the body, read to its end so that a connection that breaks half-way is noticed. */
async function readBody(response: Response): Promise<string> {
  const decoder = new TextDecoder()
  let text = ''
  let bytes = 0
  for await (const piece of response.body ?? []) {
    bytes += piece.length
    if (bytes <= maxBodyBytes) text += decoder.decode(piece, { stream: true })
  }
  return text
}

/** Fetch hides why it failed in the cause. */
function reasonOf(error: unknown): string {
  return error instanceof Error && error.cause instanceof Error ? messageOf(error.cause) : messageOf(error)
}

function failed(url: string, what: string): HoldfastError {
  const { origin, pathname } = parseUrl(url)
  return new HoldfastError('command-failed', {
    message: `${origin}${pathname} ${what}`,
    retryable: true,
    details: { url: `${origin}${pathname}` },
  })
}
