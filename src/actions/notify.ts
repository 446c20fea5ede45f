import { z } from 'zod'
import { Credentials, durationText } from '../catalog/index.ts'
import { HoldfastError, messageOf, quote, runProcess, type Json } from '../kernel/index.ts'
import type { ActionContext, Attempt, Finding } from './contract.ts'
import { defineAction } from './define-action.ts'

import { asCurl, bodyParams, messageFindings, messageParams, send } from './http/message.ts'
import { commandLine, textOrSecret } from './param-types.ts'
import { argv, asShellLine } from './shell-words.ts'
import { limitMs } from './time-limit.ts'
import { reachOfUrl } from './reach.ts'

/** In a webhook's body or json there is `message` too: the message with its facts. */
const factNames = ['catalog', 'id', 'planHash', 'requestedBy', 'step', 'target', 'time'] as const
type Facts = Readonly<Record<(typeof factNames)[number], string>> & { readonly message?: string }

const factReference = /\$\{run\.([^}]*)\}/g
const isKnown = (text: string) => [...text.matchAll(factReference)].every(([, name]) => factNames.some((known) => known === name))

const webhook = z
  .strictObject({ ...messageParams, ...bodyParams })
  .refine(({ body, json }) => body === undefined || json === undefined, { message: "a webhook has either 'body' or 'json'" })
  .refine(({ body, json }) => isKnown(JSON.stringify([body, json]).replaceAll('${run.message}', '')), {
    message: `a fact is one of \${run.${factNames.join('}, ${run.')}}`,
  })

const command = z.strictObject({
  run: commandLine.describe('A line for sh, or a program with its arguments. The message is its input, and in HOLDFAST_MESSAGE.'),
  env: z.record(z.string(), textOrSecret).describe('Environment variables: texts, outputs of steps, secrets.').default({}),
})

const params = z
  .strictObject({
    message: z
      .string()
      .regex(/\S/)
      .refine(isKnown, { message: `a fact is one of \${run.${factNames.join('}, ${run.')}}` })
      .describe('What is said. ${run.id}, .requestedBy, .step, .target, .planHash, .catalog and .time are facts of the run.'),
    webhook: webhook
      .describe(
        'Where it is posted: as JSON { text, run }, or as the body or json that stands here, in which ${run.…} is filled in too, and ${run.message} is the message.',
      )
      .optional(),
    command: command.describe('A command that says it, instead.').optional(),
    required: z
      .boolean()
      .describe('Whether the step fails when it could not be said. Otherwise nothing that happens here stops a recovery.')
      .default(false),
    within: durationText.describe('How long it may take; at most the step’s time.').default('10s'),
  })
  .refine((p) => (p.webhook === undefined) !== (p.command === undefined), {
    message: "a notification goes to one of 'webhook' and 'command'",
  })

type Params = z.infer<typeof params>

/** Tells people that a run has come this far. It says nothing about the world, so a plan of messages checks nothing. May be said twice after a crash. */
export const notify = defineAction<Params>({
  kind: 'notify',
  description:
    'Tells people that a run has come this far, by a webhook or a command. It checks nothing, and unless it is `required` no recovery fails by it. After a crash it may be said twice.',
  example: { message: 'recovery ${run.id} has begun', webhook: { url: { env: 'CHAT_WEBHOOK' } } },
  effect: 'read-only',
  isCheck: false,
  params,

  async preflight(p, context, signal) {
    try {
      const credentials = new Credentials(context, signal)
      if (p.webhook !== undefined) return await messageFindings({ ...p.webhook, method: 'POST' }, credentials)
      await credentials.texts(p.command?.env ?? {})
      return []
    } catch (error) {
      signal.throwIfAborted()
      if (p.required) throw error
      return [notSaid(error)]
    }
  },

  async run(p, context, attempt) {
    const withinMs = limitMs(p.within, attempt)
    const timeout = AbortSignal.timeout(Math.ceil(withinMs))
    const signal = AbortSignal.any([attempt.signal, timeout])
    try {
      return { sent: true, ...(await say(p, context, { ...attempt, signal }, withinMs)) }
    } catch (error) {
      attempt.signal.throwIfAborted()
      const because = timeout.aborted ? `it was not said within ${Math.round(withinMs)} ms` : messageOf(error)
      if (p.required) throw timeout.aborted ? new HoldfastError('command-failed', { message: because, cause: error }) : error
      context.progress({ step: context.step, text: `not sent: ${because}` })
      return { sent: false, because }
    }
  },

  reach: ({ webhook }) => (webhook === undefined ? 'outside' : reachOfUrl(webhook.url)),

  manual: (p) => [
    p.webhook === undefined
      ? `echo ${quote(p.message)} | ${asShellLine(p.command?.run ?? [])}`
      : asCurl({
          ...p.webhook,
          method: 'POST',
          ...(p.webhook.body === undefined && p.webhook.json === undefined ? { json: { text: p.message } } : {}),
        }),
  ],
})

async function say(p: Params, context: ActionContext, attempt: Attempt, withinMs: number): Promise<Record<string, Json>> {
  const facts = factsOf(context)
  const text = fillIn(p.message, facts) as string
  const credentials = new Credentials(context, attempt.signal)
  if (p.webhook === undefined) return await tell(p.command, text, credentials, attempt)
  const own = p.webhook.body !== undefined || p.webhook.json !== undefined
  const content = own
    ? (fillIn({ body: p.webhook.body, json: p.webhook.json }, { ...facts, message: text }) as object)
    : { json: { text, run: { ...facts } } }
  const message = { ...p.webhook, ...content, method: 'POST' }
  // By this a receiver can tell a repetition.
  const headers = { 'idempotency-key': attempt.idempotencyKey }
  const sent = await send(message, credentials, { requestTimeout: `${Math.ceil(withinMs)}ms`, headers }, attempt.signal)
  if (sent.kind === 'answer' && sent.status >= 200 && sent.status < 300) return { status: sent.status }
  throw new HoldfastError('command-failed', {
    message: `${sent.location} ${sent.kind === 'answer' ? `answered ${sent.status}` : sent.because}`,
    retryable: true,
  })
}

async function tell(
  given: Params['command'],
  text: string,
  credentials: Credentials,
  attempt: Attempt,
): Promise<Record<string, Json>> {
  if (given === undefined) throw new HoldfastError('internal', { message: 'a notification without a way to send it' })
  const [program, ...args] = argv(given.run)
  const env = { ...process.env, ...(await credentials.texts(given.env)), HOLDFAST_MESSAGE: text }
  const result = await runProcess(program, args, { env, input: `${text}\n` }, attempt.signal)
  if (result.exitCode === 0) return { exitCode: 0 }
  const said = credentials.redact(result.stderr.trim().split('\n').at(-1) ?? '')
  throw new HoldfastError('command-failed', {
    message: `${program} ended with exit code ${result.exitCode}${said === '' ? '' : `: ${said}`}`,
  })
}

function factsOf(context: ActionContext): Facts {
  const { target } = context
  return {
    catalog: context.catalog.name,
    id: context.runId,
    planHash: context.planHash,
    requestedBy: context.requestedBy,
    step: context.step,
    target: target.kind === 'time' ? target.time : target.kind === 'lsn' ? target.lsn : 'latest',
    time: context.clock.now().toISOString(),
  }
}

/** Texts with the facts in them; a value is never looked at again. References to secrets stay as they are. */
function fillIn(value: unknown, facts: Facts): unknown {
  if (typeof value === 'string')
    return value.replaceAll(factReference, (whole, name: string) =>
      Object.hasOwn(facts, name) ? (facts[name as keyof Facts] ?? whole) : whole,
    )
  if (Array.isArray(value)) return value.map((item: unknown) => fillIn(item, facts))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, member]: [string, unknown]) => [name, fillIn(member, facts)]))
}

function notSaid(error: unknown): Finding {
  return {
    severity: 'warning',
    code: 'cannot-notify',
    message: `it will not be said: ${messageOf(error)}`,
    hint: 'the recovery does not depend on it',
  }
}
