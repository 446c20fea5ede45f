import { z } from 'zod'
import { durationText } from '../catalog/index.ts'
import { blocker, bootIdentity, HoldfastError, isHoldfastError, parseDuration, type Finding } from '../kernel/index.ts'
import { bring, managers, serviceNameProblem, supervisors, type Manager, type ServiceState } from '../supervisors/index.ts'
import { absent, partly, present, type TraceContext } from './contract.ts'
import { defineFault } from './define-fault.ts'
import { faultMark } from './mark.ts'
import { isNoted, noteOrder } from './note.ts'

const params = z
  .strictObject({
    manager: z.enum(managers).describe('What supervises the service; systemd is controlled with `systemctl`, runit with `sv`.'),
    service: z
      .string()
      .min(1)
      .describe(
        'For systemd the unit, such as postgresql@15-main.service; for runit the service’s folder, such as /etc/service/api.',
      ),
    within: durationText.describe('How long its stop, and its start at the end, may take.').default('30s'),
  })
  .superRefine(({ manager, service }, refinement) => {
    const problem = serviceNameProblem(manager, service)
    if (problem !== undefined) refinement.addIssue({ code: 'custom', path: ['service'], message: problem })
  })

type Params = z.infer<typeof params>

const serviceTrace = z.strictObject({
  name: z.string(),
  /** Which of its starts it was that ran. */
  instance: z.string().optional(),
})

const traces = z.strictObject({
  manager: z.enum(managers),
  /** First the one that is stopped, then those that stop with it. */
  services: z.array(serviceTrace).min(1),
  waitMs: z.number(),
  /** A stop does not outlast a boot. */
  boot: z.string(),
})

type Traces = z.infer<typeof traces>

/** A service that runs is stopped for a while. */
export const serviceStop = defineFault<Params, Traces>({
  kind: 'service.stop',
  description:
    'Stops a service under systemd or runit as an operator would, and starts it again at the end. One that does not run is refused. Services that systemd stops with it (by Requires=, BindsTo=, PartOf=) are targets too, and are started again. What somebody else has stopped before the fault came to it stays down. One that somebody else has started meanwhile is left as it is, also when it was stopped again since, as far as systemd remembers: of a unit that is not enabled it forgets the last start.',
  example: { manager: 'systemd', service: 'api.service' },
  params,
  traces,
  expiry: 'never',

  async preflight({ manager, service }, _context, signal) {
    try {
      return await findingsOf(manager, service, signal)
    } catch (error) {
      if (!isHoldfastError(error)) throw error
      return [blocker('service-unknown', error.message, error.hint)]
    }
  },

  async plan({ manager, service, within }, _context, signal) {
    const supervisor = supervisors[manager]
    const names = [service, ...(await supervisor.stoppedWith(service, signal))]
    const states = await Promise.all(names.map((name) => supervisor.read(name, signal)))
    const services = names.map((name, index) => {
      const { instance } = states[index] ?? {}
      return { name, ...(instance === undefined ? {} : { instance }) }
    })
    return {
      targets: names.map((name) => `service ${name} of ${manager}`),
      traces: { manager, services, waitMs: parseDuration(within), boot: bootIdentity() },
    }
  },

  async inject(_params, traces, context, signal) {
    const { manager, services, waitMs } = traces
    const { id, clock } = context
    const supervisor = supervisors[manager]
    await noteOrder(context, () => requireAsPlanned(traces, signal))
    const [first] = services
    await bring(supervisor, first?.name ?? '', 'stop', { clock, waitMs, environment: faultMark(id) }, signal)
  },

  async look({ manager, services, boot }, context, signal) {
    if (boot !== bootIdentity() || !(await isNoted(context))) return absent
    const seen = await Promise.all(
      services.map(async (service) => ({ service, state: await supervisors[manager].read(service.name, signal) })),
    )
    const changing = seen.find(({ state }) => !state.settled)
    if (changing !== undefined) return partly(`${changing.service.name} is on its way: ${changing.state.words}`)
    const down = seen.filter(({ service, state }) => isStoppedByUs(service, state))
    if (down.length === 0) return absent
    const up = seen.find(({ service, state }) => !isStoppedByUs(service, state))
    return up === undefined ? present : partly(`${up.service.name} is not stopped: ${up.state.words}`)
  },

  async undo(found, context, signal) {
    if (found.boot !== bootIdentity() || !(await isNoted(context))) return
    for (const service of found.services) await startAgain(service, found, context, signal)
  },

  manualUndo: ({ manager, services, waitMs }) =>
    services.flatMap(({ name }) => supervisors[manager].manual(name, 'start', waitMs)),
})

/** Throws `fault-refused` when one of them has been stopped, or started anew, since. */
async function requireAsPlanned({ manager, services }: Traces, signal: AbortSignal): Promise<void> {
  for (const { name, instance } of services) {
    const state = await supervisors[manager].read(name, signal)
    if (state.up && state.settled && state.instance === instance) continue
    throw new HoldfastError('fault-refused', { message: `${name} is not what it was any more (${state.words})` })
  }
}

async function startAgain(
  service: z.infer<typeof serviceTrace>,
  { manager, waitMs }: Traces,
  { id, clock }: TraceContext,
  signal: AbortSignal,
): Promise<void> {
  const supervisor = supervisors[manager]
  const state = await supervisor.read(service.name, signal)
  // What is on its way may be our stop, or another undo.
  if (state.settled && !isStoppedByUs(service, state)) return
  await bring(supervisor, service.name, 'start', { clock, waitMs, environment: faultMark(id) }, signal)
}

/** Of a service that is down, systemd knows the last start until it forgets the unit; runit knows none. One of another start was stopped by somebody else. */
function isStoppedByUs({ instance }: z.infer<typeof serviceTrace>, state: ServiceState): boolean {
  return state.settled && !state.up && (state.instance === undefined || state.instance === instance)
}

async function findingsOf(manager: Manager, service: string, signal: AbortSignal): Promise<readonly Finding[]> {
  const supervisor = supervisors[manager]
  const stop = await supervisor.findings(service, 'stop', signal)
  // What cannot be started cannot be taken back.
  const start = (await supervisor.findings(service, 'start', signal)).filter(
    ({ code }) => !stop.some((known) => known.code === code),
  )
  const found = [...stop, ...start]
  if (found.some(({ severity }) => severity === 'blocker')) return found
  const { up, settled, words } = await supervisor.read(service, signal)
  if (!up || !settled)
    return [...found, blocker('service-not-running', `${service} does not run (${words}): there is nothing to stop`)]
  const others = (await supervisor.stoppedWith(service, signal)).filter((name) => !name.endsWith('.service'))
  if (others.length === 0) return found
  const message = `${others.join(', ')} would stop with ${service}, and cannot be brought back just as it was`
  return [...found, blocker('stops-more-than-services', message)]
}
