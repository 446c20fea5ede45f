import type { Probe, Secret, SecretRef } from '../catalog/index.ts'
import { formatDuration, messageOf, type Clock } from '../kernel/index.ts'
import { lookAtCommand } from './probes/command.ts'
import { lookAtHttp } from './probes/http.ts'
import { lookAtHeartbeat, lookAtSql } from './probes/sql.ts'
import { lookAtTcp } from './probes/tcp.ts'
import { describeProbe } from './describe-probe.ts'
import type { ProbeOutcome } from './report.ts'

export interface LookDeps {
  readonly clock: Clock
  readonly resolveSecret: (reference: SecretRef, signal: AbortSignal) => Promise<Secret>
}

const maxReason = 300

/**
 * One look, bounded by the probe's own time: what hangs, even in a way that cannot be stopped, is not well in this look, and no more than that.
 * Throws only the signal's reason.
 */
export async function lookAt(probe: Probe, { clock, resolveSecret }: LookDeps, signal: AbortSignal): Promise<ProbeOutcome> {
  const startedMs = clock.monotonicMs()
  const timeout = new AbortController()
  const { promise: timedOut, resolve } = Promise.withResolvers<string>()
  const timer = setTimeout(() => {
    timeout.abort(new Error('timeout'))
    resolve(`did not answer within ${formatDuration(probe.timeoutMs)}`)
  }, probe.timeoutMs)
  const either = AbortSignal.any([signal, timeout.signal])
  const text = async (value: string | SecretRef) =>
    typeof value === 'string' ? value : (await resolveSecret(value, either)).reveal()
  const looking = look(probe, text, either).catch((error: unknown) =>
    timeout.signal.aborted ? timedOut : `cannot be looked at: ${messageOf(error)}`,
  )
  try {
    const because = await Promise.race([looking, timedOut])
    signal.throwIfAborted()
    const elapsedMs = Math.round(clock.monotonicMs() - startedMs)
    const seen = { probe: describeProbe(probe), well: because === undefined, elapsedMs }
    return because === undefined ? seen : { ...seen, because: because.slice(0, maxReason) }
  } finally {
    clearTimeout(timer)
  }
}

async function look(
  probe: Probe,
  text: (value: string | SecretRef) => Promise<string>,
  signal: AbortSignal,
): Promise<string | undefined> {
  switch (probe.kind) {
    case 'http':
      return lookAtHttp(probe.url, probe.status, signal)
    case 'tcp':
      return lookAtTcp(probe.host, probe.port, signal)
    case 'sql':
      return lookAtSql(await text(probe.url), probe.sql, probe.timeoutMs, signal)
    case 'command':
      return lookAtCommand(probe.command, signal)
    case 'heartbeat':
      return lookAtHeartbeat({ ...probe, url: await text(probe.url) }, signal)
    default:
      throw new TypeError('a probe of an unknown kind')
  }
}
