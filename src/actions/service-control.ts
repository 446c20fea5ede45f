import { z } from 'zod'
import { durationText } from '../catalog/index.ts'
import { parseDuration } from '../kernel/index.ts'
import { bring, managers, serviceNameProblem, supervisors, type Order, type ServiceState } from '../supervisors/index.ts'
import { done, notDone, unknown, type ActionContext, type Attempt } from './contract.ts'
import { defineAction } from './define-action.ts'
import { outputReference } from './param-types.ts'
import { readNote, writeNote } from './step-notes.ts'
import { limitMs } from './time-limit.ts'

const params = z
  .strictObject({
    manager: z
      .enum(managers)
      .describe('What supervises the service; runit is controlled with `sv`, systemd with `systemctl`.')
      .default('runit'),
    service: z
      .string()
      .min(1)
      .describe(
        'For runit the service’s folder, such as /etc/service/postgresql; for systemd the unit, such as postgresql@15-main.service.',
      ),
    to: z
      .enum(['start', 'stop', 'restart'])
      .describe(
        'What becomes of it. Stopped, it stays so until its supervisor itself is started anew, as by a reboot, or something else starts it.',
      ),
    within: durationText.describe('How long it may take; at most the step’s time.').default('30s'),
  })
  .superRefine(({ manager, service }, refinement) => {
    const problem = outputReference.test(service) ? undefined : serviceNameProblem(manager, service)
    if (problem !== undefined) refinement.addIssue({ code: 'custom', path: ['service'], message: problem })
  })

type Params = z.infer<typeof params>

const note = z.strictObject({ up: z.boolean(), pid: z.int().optional(), instance: z.string().optional() })

/** Starts, stops or restarts a supervised service, and reads back that it is so: its supervisor would undo what is done behind its back. */
export const serviceControl = defineAction<Params>({
  kind: 'service.control',
  description:
    'Starts, stops or restarts a service under systemd or runit, and reads back that it is so. A start counts once the service has stayed up for half a second. The undo brings it back to what it was before; a restart has none. Outputs: `up`, `pid`, `wasUp`.',
  example: { manager: 'systemd', service: 'api.service', to: 'stop' },
  effect: 'reversible',
  params,

  async preflight({ manager, service, to }, _context, signal) {
    return outputReference.test(service) ? [] : await supervisors[manager].findings(service, to, signal)
  },

  async probe(p, context, { signal, idempotencyKey, previous }) {
    const state = await supervisors[p.manager].read(p.service, signal)
    if (p.to === 'restart') {
      const before = await readNote(context, idempotencyKey, note)
      if (previous === 'none' || before === undefined) return notDone
      return state.up && state.settled && state.instance !== before.instance ? done(outcome(state, before)) : notDone
    }
    if (!state.settled) return previous === 'interrupted' ? unknown(`${p.service} is still on its way: ${state.words}`) : notDone
    // Asked of a state that was so before, undo has nothing to take back.
    return state.up === (p.to === 'start')
      ? done(outcome(state, (await readNote(context, idempotencyKey, note)) ?? state))
      : notDone
  },

  async run(p, context, attempt) {
    const { signal, idempotencyKey } = attempt
    const before = (await readNote(context, idempotencyKey, note)) ?? (await supervisors[p.manager].read(p.service, signal))
    const { up, pid, instance } = before
    await writeNote(context, idempotencyKey, {
      up,
      ...(pid === undefined ? {} : { pid }),
      ...(instance === undefined ? {} : { instance }),
    })
    return outcome(await carryOut(p, p.to, context, attempt), before)
  },

  canUndo: ({ to }) => to !== 'restart',
  async undo(p, _output, context, attempt) {
    const before = await readNote(context, attempt.idempotencyKey, note)
    if (before === undefined || before.up === (p.to === 'start')) return
    await carryOut(p, before.up ? 'start' : 'stop', context, attempt)
  },

  manual: ({ manager, service, to, within }) => supervisors[manager].manual(service, to, parseDuration(within)),
  manualUndo: ({ manager, service, to, within }) =>
    to === 'restart' ? [] : supervisors[manager].manual(service, to === 'start' ? 'stop' : 'start', parseDuration(within)),
})

function outcome({ up, pid }: ServiceState, before: z.infer<typeof note>): { up: boolean; pid: number | null; wasUp: boolean } {
  return { up, pid: pid ?? null, wasUp: before.up }
}

async function carryOut(
  { manager, service, within }: Params,
  to: Order,
  { clock }: ActionContext,
  attempt: Attempt,
): Promise<ServiceState> {
  return await bring(supervisors[manager], service, to, { clock, waitMs: limitMs(within, attempt) }, attempt.signal)
}
