import { HoldfastError, type Clock } from '../kernel/index.ts'
import type { Order, ServiceState, Supervisor } from './supervisor.ts'

const pollMs = 100
/** For how long a service must be seen up before it counts: one that cannot run is up for a moment too. */
const steadyMs = 500

export interface BringOptions {
  readonly clock: Clock
  /** For how long it waits, after the order. */
  readonly waitMs: number
  /** Of what gives the order: see Supervisor.tell. */
  readonly environment?: Readonly<Record<string, string>>
}

/**
 * Gives the order and waits until the state that it asks for has been read back; a start counts once the service has stayed up for half a second.
 * Throws `command-failed` when the service was given up by its supervisor, and `timed-out` with the state that it is in.
 */
export async function bring(
  supervisor: Supervisor,
  service: string,
  to: Order,
  { clock, waitMs, environment = {} }: BringOptions,
  signal: AbortSignal,
): Promise<ServiceState> {
  const startedMs = clock.monotonicMs()
  const { instance } = await supervisor.read(service, signal)
  const told = await supervisor.tell(service, to, signal, environment)
  let seen: { readonly instance: string | undefined; readonly sinceMs: number } | undefined
  for (;;) {
    const state = await supervisor.read(service, signal)
    const nowMs = clock.monotonicMs()
    if (to === 'stop' && state.settled && !state.up) return state
    if (to !== 'stop' && state.settled && state.failed !== undefined) throw failed(service, to, state, supervisor)
    const isUp = to !== 'stop' && state.settled && state.up && (to === 'start' || state.instance !== instance)
    if (!isUp) seen = undefined
    else if (seen === undefined || seen.instance !== state.instance) seen = { instance: state.instance, sinceMs: nowMs }
    else if (nowMs - seen.sinceMs >= steadyMs) return state
    if (nowMs - startedMs > waitMs) {
      throw new HoldfastError('timed-out', {
        message: `${service} was told to ${to}, and after ${Math.round(waitMs)} ms it is ${state.up ? 'running' : 'down'} (${[state.words, told].filter(Boolean).join('; ')})`,
        hint: supervisor.look(service),
      })
    }
    await clock.sleep(pollMs, signal)
  }
}

function failed(service: string, to: Order, { failed: why, words }: ServiceState, supervisor: Supervisor): HoldfastError {
  return new HoldfastError('command-failed', {
    message: `${service} was told to ${to} and failed (${words}: ${why})`,
    hint: supervisor.look(service),
    retryable: true,
  })
}
