import type { HypothesisProbe, Secret, SecretRef } from '../../catalog/index.ts'
import { lookAtTcp } from '../../detection/index.ts'
import { formatDuration, HoldfastError, messageOf, runProcess, type Clock } from '../../kernel/index.ts'
import type { ProbeResult } from './evidence.ts'
import { askHttp } from './probes/http.ts'
import { askPrometheus } from './probes/prometheus.ts'
import { countProcesses } from './probes/process.ts'
import { askSql } from './probes/sql.ts'
import { unmet, type Seen } from './tolerance.ts'

export interface LookDeps {
  readonly clock: Clock
  readonly resolveSecret: (reference: SecretRef, signal: AbortSignal) => Promise<Secret>
}

const maxReason = 300

/**
 * One look of one probe, bounded by its own time also when what it asks cannot be stopped. Whatever goes wrong is a result: nothing was
 * seen, and that meets no tolerance. Throws only the signal's reason.
 */
export async function lookOnce(
  probe: HypothesisProbe,
  { clock, resolveSecret }: LookDeps,
  signal: AbortSignal,
): Promise<ProbeResult> {
  const startedMs = clock.monotonicMs()
  const timeout = new AbortController()
  const { promise: timedOut, reject } = Promise.withResolvers<never>()
  timedOut.catch(() => {})
  const timer = setTimeout(() => {
    const message = `did not answer within ${formatDuration(probe.timeoutMs)}`
    timeout.abort(new HoldfastError('timed-out', { message }))
    reject(timeout.signal.reason)
  }, probe.timeoutMs)
  const either = AbortSignal.any([signal, timeout.signal])
  const text = async (value: string | SecretRef) =>
    typeof value === 'string' ? value : (await resolveSecret(value, either)).reveal()
  try {
    const asking = ask(probe, text, either)
    asking.catch(() => {})
    const seen = await Promise.race([asking, timedOut])
    return judged(probe, seen, clock.monotonicMs() - startedMs)
  } catch (error) {
    signal.throwIfAborted()
    const because = (timeout.signal.aborted ? messageOf(timeout.signal.reason) : messageOf(error)).slice(0, maxReason)
    return { probe: probe.name, ...nothingSeen(probe), latencyMs: clock.monotonicMs() - startedMs, because }
  } finally {
    clearTimeout(timer)
  }
}

function judged({ name, tolerance }: HypothesisProbe, seen: Seen, latencyMs: number): ProbeResult {
  const result = { probe: name, value: seen.value, latencyMs }
  if (tolerance.kind === 'latency') return result
  const because = unmet(tolerance.kind === 'rate' ? tolerance.of : tolerance, seen)
  const verdict = tolerance.kind === 'rate' ? { counts: because === undefined } : { met: because === undefined }
  return because === undefined ? { ...result, ...verdict } : { ...result, ...verdict, because: because.slice(0, maxReason) }
}

function nothingSeen({ tolerance }: HypothesisProbe): Pick<ProbeResult, 'met' | 'counts'> {
  if (tolerance.kind === 'latency') return {}
  return tolerance.kind === 'rate' ? { counts: false } : { met: false }
}

async function ask(
  { measure, timeoutMs }: HypothesisProbe,
  text: (value: string | SecretRef) => Promise<string>,
  signal: AbortSignal,
): Promise<Seen> {
  switch (measure.kind) {
    case 'http': {
      const headers: Record<string, string> = { 'user-agent': 'holdfast-chaos' }
      for (const [name, value] of Object.entries(measure.headers)) headers[name] = await text(value)
      const { status, body } = await askHttp({ method: 'GET', url: measure.url, headers }, signal)
      return { value: status, text: body }
    }
    case 'tcp': {
      const because = await lookAtTcp(measure.host, measure.port, signal)
      if (because !== undefined) throw new HoldfastError('command-failed', { message: because })
      return { value: true, text: '' }
    }
    case 'sql':
      return await askSql(await text(measure.url), measure.sql, timeoutMs, signal)
    case 'command': {
      const [program, ...args] = measure.command
      const { exitCode, stdout, signal: endedBy } = await runProcess(program, args, { keepBytes: 256 * 1024 }, signal)
      if (endedBy !== undefined) throw new HoldfastError('command-failed', { message: `was ended by ${endedBy}` })
      return { value: exitCode, text: stdout }
    }
    case 'process':
      return { value: await countProcesses(measure.commandLine), text: '' }
    case 'prometheus':
      return await askPrometheus(measure.url, measure.query, signal)
    default:
      throw new TypeError('a probe of an unknown kind')
  }
}
