import { stat } from 'node:fs/promises'
import { z } from 'zod'
import { durationText } from '../catalog/index.ts'
import { HoldfastError, parseDuration, runProcess, systemCode } from '../kernel/index.ts'
import { done, notDone, unknown, type ActionContext } from './contract.ts'
import { defineAction } from './define-action.ts'
import { pathOrOutput } from './param-types.ts'
import { quote } from './shell.ts'
import { readNote, writeNote } from './step-notes.ts'

const params = z.strictObject({
  manager: z.enum(['runit']).describe('What supervises the service; runit is controlled with `sv`.').default('runit'),
  service: pathOrOutput.describe('The service’s folder, such as /etc/service/postgresql.'),
  to: z
    .enum(['start', 'stop', 'restart'])
    .describe('What becomes of it. Stopped, it stays so until its supervisor itself is started anew, as by a reboot.'),
  within: durationText.describe('How long it may take; at most the step’s time.').default('30s'),
})

type Params = z.infer<typeof params>

/** As `sv status` tells it. `settled`: it is what its supervisor wants it to be. */
interface ServiceState {
  readonly up: boolean
  readonly pid: number | undefined
  readonly settled: boolean
}

const note = z.strictObject({ up: z.boolean(), pid: z.int().optional() })
const share = 0.8
const pollMs = 100

/** Starts, stops or restarts a supervised service, and reads back that it is so: its supervisor would undo what is done behind its back. */
export const serviceControl = defineAction<Params>({
  kind: 'service.control',
  description:
    'Starts, stops or restarts a supervised service, and reads back that it is so. The undo brings it back to what it was before; a restart has none. Outputs: `up`, `pid`, `wasUp`.',
  example: { service: '/etc/service/api', to: 'stop' },
  effect: 'reversible',
  params,

  async preflight({ service }, _context, signal) {
    if (service.includes('${')) return []
    const problem = await stat(service).then(
      () => undefined,
      (error: unknown) => (systemCode(error) === 'ENOENT' ? `there is no service folder ${service}` : String(error)),
    )
    if (problem !== undefined) return [{ severity: 'blocker', code: 'service-missing', message: problem }]
    await readState(service, signal)
    return []
  },

  async probe(p, context, { signal, idempotencyKey, previous }) {
    const state = await readState(p.service, signal)
    if (p.to === 'restart') {
      const before = await readNote(context, idempotencyKey, note)
      if (previous === 'none' || before === undefined) return notDone
      return state.up && state.settled && state.pid !== before.pid ? done(outcome(state, before)) : notDone
    }
    if (!state.settled) return previous === 'interrupted' ? unknown(`${p.service} is still on its way`) : notDone
    // Asked of a state that was so before, undo has nothing to take back.
    return state.up === (p.to === 'start')
      ? done(outcome(state, (await readNote(context, idempotencyKey, note)) ?? state))
      : notDone
  },

  async run(p, context, { signal, idempotencyKey, timeoutMs }) {
    const before = (await readNote(context, idempotencyKey, note)) ?? (await readState(p.service, signal))
    await writeNote(context, idempotencyKey, { up: before.up, ...(before.pid === undefined ? {} : { pid: before.pid }) })
    return outcome(await bring(p, p.to, context, signal, timeoutMs), before)
  },

  canUndo: ({ to }) => to !== 'restart',
  async undo(p, _output, context, { signal, idempotencyKey, timeoutMs }) {
    const before = await readNote(context, idempotencyKey, note)
    if (before === undefined || before.up === (p.to === 'start')) return
    await bring(p, before.up ? 'start' : 'stop', context, signal, timeoutMs)
  },

  manual: ({ service, to, within }) => [
    `sv -w ${Math.ceil(parseDuration(within) / 1000)} ${to} ${quote(service)}`,
    `sv status ${quote(service)}   # expect ${to === 'stop' ? 'down' : 'run'}`,
  ],
})

function outcome({ up, pid }: ServiceState, before: z.infer<typeof note>): { up: boolean; pid: number | null; wasUp: boolean } {
  return { up, pid: pid ?? null, wasUp: before.up }
}

async function bring(
  { service, within }: Params,
  to: Params['to'],
  { clock }: ActionContext,
  signal: AbortSignal,
  timeoutMs = Number.POSITIVE_INFINITY,
): Promise<ServiceState> {
  const startedMs = clock.monotonicMs()
  const limitMs = Math.min(parseDuration(within), timeoutMs * share)
  const { pid } = await readState(service, signal)
  // Without waiting: how long that takes is ours to bound, and the state is read by us.
  const told = await runProcess('sv', ['-w', '0', to, service], {}, signal)
  for (;;) {
    const state = await readState(service, signal)
    const isNew = to !== 'restart' || state.pid !== pid
    if (state.settled && state.up === (to !== 'stop') && isNew) return state
    if (clock.monotonicMs() - startedMs > limitMs) {
      throw new HoldfastError('timed-out', {
        message: `${service} was told to ${to}, and after ${Math.round(limitMs)} ms it is ${state.up ? 'running' : 'down'}: ${told.stdout.trim()}`,
        hint: `look at its log, and at \`sv status ${service}\``,
      })
    }
    await clock.sleep(pollMs, signal)
  }
}

/** `run: DIR: (pid N) 5s`, `down: DIR: 1s, normally up, want up`, `finish: …`, `fail: …`. Throws `command-failed` where nothing supervises it. */
async function readState(service: string, signal: AbortSignal): Promise<ServiceState> {
  const { stdout, stderr } = await runProcess('sv', ['status', service], { env: { ...process.env, LC_ALL: 'C' } }, signal)
  // A second part, after a semicolon, is of its logger.
  const line = stdout.split(/[;\n]/)[0] ?? ''
  const [, word] = /^(run|down|finish): /.exec(line) ?? []
  if (word === undefined) {
    throw new HoldfastError('command-failed', {
      message: `the state of ${service} cannot be read: ${[line, stderr.trim()].filter(Boolean).join(' ')}`,
      hint: 'check that runsvdir runs for the folder that it is in, and that this user may ask',
      retryable: true,
    })
  }
  const pid = /\(pid (\d+)\)/.exec(line)?.[1]
  return {
    up: word === 'run',
    pid: pid === undefined ? undefined : Number(pid),
    settled: word !== 'finish' && !/, want |, got /.test(line),
  }
}
