import { isIP } from 'node:net'
import { z } from 'zod'
import { durationText } from '../catalog/index.ts'
import {
  blocker,
  HoldfastError,
  hostPortText,
  type Json,
  messageOf,
  parseDuration,
  parseHostPort,
  quote,
} from '../kernel/index.ts'
import { done, halfDone, notDone, unknown, type ActionContext, type Attempt } from './contract.ts'
import { defineAction } from './define-action.ts'
import { askRuntime, haproxyName, runtimeSocket, tellRuntime, type RuntimeApi } from './haproxy/runtime.ts'
import { readServer, type AdminState, type ServerState } from './haproxy/server-state.ts'
import { outputReference } from './param-types.ts'
import { reachOfFolder } from './reach.ts'
import { readNote, writeNote } from './step-notes.ts'
import { limitMs } from './time-limit.ts'

const states = ['ready', 'drain', 'maint'] as const

const params = z
  .strictObject({
    socket: runtimeSocket.describe('Its `stats socket` of level admin: the path of a Unix socket, or HOST:PORT.'),
    backend: haproxyName.describe('The backend that the server is in.'),
    server: haproxyName.describe('The server’s name there.'),
    state: z
      .enum(states)
      .describe(
        'ready: it takes traffic, and is up by its health checks. drain: it gets no new sessions, save those that persist. maint: none at all, and no health checks.',
      )
      .optional(),
    address: z
      .string()
      .refine((address) => outputReference.test(address) || isIP(address) > 0)
      .meta({ expected: 'an IP address' })
      .describe(
        'Where the server is to be from now on: an IP address. Sessions that go on stay where they are. Whether it is up there is waited for only together with state: ready, which takes it out for that moment.',
      )
      .optional(),
    port: z.int().min(1).max(65_535).describe('Its port there. Default: as it is.').optional(),
    shutdownSessions: z.boolean().describe('Ends the sessions that still go on at it, after everything else.').default(false),
    untilDrained: z.boolean().describe('Waits until no session goes on at it any more.').default(false),
    within: durationText
      .describe(
        'How long it may take: a ready server to be up by its health checks, another to be drained. At most the step’s time.',
      )
      .default('30s'),
    commandTimeout: durationText.describe('For the answer to one command.').default('5s'),
  })
  .refine(({ state, address }) => state !== undefined || address !== undefined, {
    message: "there is neither a 'state' nor an 'address'",
  })
  .refine(({ address, port }) => port === undefined || address !== undefined, { message: "a 'port' goes with an 'address'" })
  .refine(({ state, untilDrained, shutdownSessions }) => state !== 'ready' || !(untilDrained || shutdownSessions), {
    message: 'a ready server gets new sessions all the time: it cannot be drained',
  })

type Params = z.infer<typeof params>

const note = z.strictObject({ told: z.enum(states), address: z.string(), port: z.int() })

type Noted = z.infer<typeof note>

const pollMs = 100

/** Takes a server of HAProxy in or out, or moves it to another address, and reads back that it is so. Errors come as texts like any other answer. */
export const haproxyServer = defineAction<Params>({
  kind: 'haproxy.server',
  description:
    'Takes a server of an HAProxy in (ready) or out (drain, maint), or points it to another address, by the runtime API, and reads back that it is so: a ready server must be up, and one that is to be drained must have no session left. What it was before is noted first and restored by the undo, unless somebody else has changed it meanwhile. A reload of HAProxy goes back to its configuration. Outputs: `state`, `address`, `port`, `sessions`, `before`.',
  example: { socket: '/run/haproxy/admin.sock', backend: 'orders', server: 'primary', state: 'maint', shutdownSessions: true },
  effect: 'reversible',
  params,

  async preflight(p, _context, signal) {
    if ([p.socket, p.backend, p.server].some((text) => outputReference.test(text))) return []
    await readServer(apiOf(p), p.backend, p.server, signal)
    const level = await askRuntime(apiOf(p), 'show cli level', signal)
    if (level === 'admin') return []
    return [
      blocker(
        'permission-denied',
        `the socket ${p.socket} of HAProxy has the level ${level}`,
        'give its `stats socket` the option `level admin`',
      ),
    ]
  },

  async probe(p, context, { signal, idempotencyKey, previous }) {
    const before = await readNote(context, idempotencyKey, note)
    let now: ServerState
    try {
      now = await readServer(apiOf(p), p.backend, p.server, signal)
    } catch (error) {
      signal.throwIfAborted()
      // Nothing is told before the note is written.
      return before === undefined ? notDone : unknown(`the server cannot be looked at: ${messageOf(error)}`)
    }
    if (isTold(p, now)) {
      const endsSessions = p.shutdownSessions && now.sessions > 0
      if (lacks(p, now) === undefined && !endsSessions) return done(outcome(now, before))
      return before === undefined || previous === 'none' ? notDone : halfDone
    }
    if (before === undefined || isAs(before, now)) return notDone
    if (partsOf(p, before).some((part) => isAs(part, now))) return halfDone
    return unknown(
      `${p.backend}/${p.server} is ${placeText(now)}, which is neither what it was nor what it is to be: somebody else changes it`,
    )
  },

  async run(p, context, attempt) {
    const { signal, idempotencyKey } = attempt
    const now = await readServer(apiOf(p), p.backend, p.server, signal)
    const before = (await readNote(context, idempotencyKey, note)) ?? { told: now.told, address: now.address, port: now.port }
    await writeNote(context, idempotencyKey, before)
    await tell(p, p, now, signal)
    if (p.shutdownSessions) await tellRuntime(apiOf(p), `shutdown sessions server ${p.backend}/${p.server}`, /^$/, signal)
    return outcome(await untilSo(p, context, attempt), before)
  },

  async undo(p, _output, context, { signal, idempotencyKey }) {
    const before = await readNote(context, idempotencyKey, note)
    if (before === undefined) return
    const now = await readServer(apiOf(p), p.backend, p.server, signal)
    if (isAs(before, now)) return
    if (!partsOf(p, before).some((part) => isAs(part, now))) {
      throw new HoldfastError('identity-mismatch', {
        message: `${p.backend}/${p.server} of HAProxy was changed by somebody else since: it is ${placeText(now)}, and is left so`,
        hint: `before the step it was ${placeText(before)}: decide which is right`,
      })
    }
    const state = before.told === now.told ? undefined : before.told
    await tell(p, { state, address: before.address, port: before.port }, now, signal)
    const restored = await readServer(apiOf(p), p.backend, p.server, signal)
    if (!isAs(before, restored)) throw notSo(p, `after its undo it is ${placeText(restored)}`)
  },

  reach({ socket }, sandbox) {
    const at = parseHostPort(socket)
    return at === undefined ? reachOfFolder(socket, sandbox) : { hosts: [hostPortText(at)] }
  },
  manual: (p) => commands(p),
  manualUndo: ({ socket, backend, server, state, address }) => [
    ...(address === undefined ? [] : [line(socket, `set server ${backend}/${server} addr OLD_ADDRESS port OLD_PORT`)]),
    ...(state === undefined
      ? []
      : [`${line(socket, `set server ${backend}/${server} state OLD_STATE`)}   # ready, unless it was drain or maint before`]),
    line(socket, `show servers state ${backend}`),
  ],
})

function apiOf({ socket, commandTimeout }: Params): RuntimeApi {
  return { socket, timeoutMs: parseDuration(commandTimeout) }
}

/** Out before it moves, and in only after that: no traffic comes to an address that it is not meant for. */
async function tell(
  p: Params,
  to: { readonly state?: AdminState | undefined; readonly address?: string | undefined; readonly port?: number | undefined },
  now: ServerState,
  signal: AbortSignal,
): Promise<void> {
  const [api, name] = [apiOf(p), `${p.backend}/${p.server}`]
  const say = (what: string, expected: RegExp) => tellRuntime(api, `set server ${name} ${what}`, expected, signal)
  const moves = to.address !== undefined && (to.address !== now.address || (to.port ?? now.port) !== now.port)
  if (to.state !== undefined && to.state !== 'ready' && to.state !== now.told) await say(`state ${to.state}`, /^$/)
  // Its health would be that of where it was; out of maintenance it is checked anew.
  const passesMaintenance = to.state === 'ready' && moves && now.told !== 'maint'
  if (passesMaintenance) await say('state maint', /^$/)
  if (moves) {
    const words = `addr ${to.address}${to.port === undefined ? '' : ` port ${to.port}`}`
    await say(words, /^(?:IP changed from|no need to change the addr)(?!.*(?:only|error|can't|invalid))/i)
  }
  if (to.state === 'ready' && (now.told !== 'ready' || passesMaintenance)) await say('state ready', /^$/)
}

async function untilSo(p: Params, context: ActionContext, attempt: Attempt): Promise<ServerState> {
  const { clock } = context
  const { signal } = attempt
  const waitMs = limitMs(p.within, attempt)
  const startedMs = clock.monotonicMs()
  for (;;) {
    const now = await readServer(apiOf(p), p.backend, p.server, signal)
    if (!isTold(p, now)) throw notSo(p, `it is ${placeText(now)}: somebody else changes it, or HAProxy was reloaded`)
    const lack = lacks(p, now)
    if (lack === undefined) return now
    if (clock.monotonicMs() - startedMs > waitMs) throw notSo(p, `after ${Math.round(waitMs)} ms ${lack}`)
    context.progress({ step: context.step, text: lack })
    await clock.sleep(pollMs, signal)
  }
}

function isTold({ state, address, port }: Params, now: ServerState): boolean {
  return isAs({ told: state ?? now.told, address: address ?? now.address, port: port ?? now.port }, now)
}

function isAs({ told, address, port }: Noted, now: ServerState): boolean {
  return told === now.told && address === now.address && port === now.port
}

/** What a server may be when the step was interrupted: all of what it is told, or only the first part. */
function partsOf({ state, address, port }: Params, before: Noted): Noted[] {
  const told = state ?? before.told
  const place = { address: address ?? before.address, port: port ?? before.port }
  return [
    { ...before, told },
    { ...before, ...place },
    { told, ...place },
  ]
}

function placeText({ told, address, port }: Noted): string {
  return `${told} at ${address}:${port}`
}

/** What is still to come true; undefined for nothing. */
function lacks({ state, untilDrained }: Params, now: ServerState): string | undefined {
  if (state === 'ready' && !now.isUp) return `it is not up: ${now.status}`
  if (untilDrained && now.sessions > 0)
    return now.sessions === 1 ? 'a session still goes on' : `${now.sessions} sessions still go on`
  return undefined
}

function notSo({ backend, server, state, address }: Params, what: string): HoldfastError {
  const told = [...(state === undefined ? [] : [`to be ${state}`]), ...(address === undefined ? [] : [`to be at ${address}`])]
  return new HoldfastError('command-failed', {
    message: `${backend}/${server} of HAProxy was told ${told.join(' and ')}, and ${what}`,
    hint: `look at \`show stat ${backend} 4 -1\`, and at the server itself`,
    retryable: true,
  })
}

function outcome(now: ServerState, before: Noted | undefined): Json {
  return { state: now.told, address: now.address, port: now.port, sessions: now.sessions, before: before ?? null }
}

function commands({ socket, backend, server, state, address, port, shutdownSessions, untilDrained }: Params): string[] {
  const name = `${backend}/${server}`
  const set = (what: string) => line(socket, `set server ${name} ${what}`)
  return [
    `${line(socket, `show servers state ${backend}`)}   # write down srv_addr, srv_port and srv_admin_state of ${server}: what undoing restores`,
    ...(state === undefined || state === 'ready' ? [] : [set(`state ${state}`)]),
    ...(address === undefined ? [] : [set(`addr ${address}${port === undefined ? '' : ` port ${port}`}`)]),
    ...(state === 'ready' ? [set('state ready')] : []),
    ...(shutdownSessions ? [line(socket, `shutdown sessions server ${name}`)] : []),
    `${line(socket, `show stat ${backend} 4 -1`)} | cut -d, -f2,5,18   # its status${untilDrained ? ', and 0 sessions (scur)' : ''}`,
  ]
}

function line(socket: string, command: string): string {
  return `echo ${quote(command)} | socat stdio ${/^[^/]*:\d+$/.test(socket) ? `TCP:${quote(socket)}` : quote(socket)}`
}
