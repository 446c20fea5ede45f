import { HoldfastError, isHoldfastError, type Json } from '../../kernel/index.ts'
import { setImmediate } from 'node:timers/promises'
import { failureError, recordFailure } from '../failure.ts'
import type { RetryPolicy, StepAttempt, StepOptions } from '../run-context.ts'
import { never, type LiveRun } from './live-run.ts'

const maxResultBytes = 1024 * 1024

type StepBody = (attempt: StepAttempt) => Promise<Json>

/** RunContext.step over a journal: what is recorded, or attempts until one is committed or the last has failed. */
export async function runStep(run: LiveRun, id: string, body: StepBody, options: StepOptions): Promise<Json> {
  const recorded = run.recorded.step(id)
  if (recorded.end === undefined) {
    // Whatever else is recorded comes back first: a branch that failed before the crash stops this one before it begins anew.
    await setImmediate()
    await attemptUntilEnded(run, id, body, options)
  }
  const end = run.recorded.step(id).end
  if (end === undefined) throw new HoldfastError('internal', { message: `step ${id} has no end` })
  if ('error' in end) throw failureError(end.error)
  return end.value
}

async function attemptUntilEnded(run: LiveRun, id: string, body: StepBody, options: StepOptions): Promise<void> {
  const recorded = run.recorded.step(id)
  while (recorded.end === undefined) {
    if (run.letGo.signal.aborted) await never()
    const stop = stopSignal(run, options)
    if (stop?.aborted === true) {
      if (recorded.attempts === 0) throw stoppedError(id, stop.reason, false)
      await run.record({
        type: 'step-failed',
        step: id,
        attempt: recorded.attempts,
        error: recordFailure(stoppedError(id, stop.reason, true)),
        elapsedMs: 0,
      })
      return
    }
    const waitMs = (recorded.retryAtMs ?? 0) - run.clock.now().getTime()
    if (waitMs > 0) {
      await sleepOrStop(run, Math.min(waitMs, options.retry?.maxDelayMs ?? waitMs), stop)
      delete recorded.retryAtMs
      continue
    }
    await attemptOnce(run, id, body, options)
  }
}

async function attemptOnce(run: LiveRun, id: string, body: StepBody, options: StepOptions): Promise<void> {
  const recorded = run.recorded.step(id)
  const { previous } = recorded
  const attempt = recorded.attempts + 1
  await run.record({ type: 'step-started', step: id, attempt })
  const startedMs = run.clock.monotonicMs()
  const controller = new AbortController()
  const sources = [run.letGo.signal, ...(options.uninterruptible === true ? [] : [stopSignal(run, options)])]
  const abort = () => controller.abort(sources.find((source) => source?.aborted)?.reason)
  for (const source of sources) {
    if (source?.aborted === true) abort()
    source?.addEventListener('abort', abort, { once: true })
  }
  const { timeoutMs } = options
  const timer =
    timeoutMs === undefined
      ? undefined
      : setTimeout(
          () => controller.abort(new HoldfastError('timed-out', { message: `step ${id} did not end within ${timeoutMs} ms` })),
          timeoutMs,
        )
  let outcome: { readonly value: Json } | { readonly error: unknown }
  try {
    const key = `${run.folder.runId}/${id}`
    outcome = { value: await run.track(body({ signal: controller.signal, idempotencyKey: key, attempt, previous })) }
    refuseLarge(id, outcome.value)
  } catch (error) {
    outcome = { error: controller.signal.aborted ? abortError(id, controller.signal.reason, error) : error }
  } finally {
    clearTimeout(timer)
    for (const source of sources) source?.removeEventListener('abort', abort)
  }
  const elapsedMs = Math.round(run.clock.monotonicMs() - startedMs)
  if ('value' in outcome) {
    await run.record({ type: 'step-committed', step: id, attempt, value: outcome.value ?? null, elapsedMs })
    return
  }
  const retryInMs = isStopped(outcome.error) ? undefined : retryDelay(options.retry, recorded.failures + 1, outcome.error)
  await run.record({
    type: 'step-failed',
    step: id,
    attempt,
    error: recordFailure(outcome.error),
    elapsedMs,
    ...(retryInMs === undefined ? {} : { retryInMs }),
  })
}

/** Undefined when no attempt is left. */
function retryDelay(retry: RetryPolicy | undefined, failures: number, error: unknown): number | undefined {
  if (retry === undefined || failures >= retry.attempts || retry.mayRetry?.(error) === false) return undefined
  return Math.round(Math.min(retry.delayMs * retry.factor ** (failures - 1), retry.maxDelayMs))
}

function stopSignal(run: LiveRun, { stop, shielded }: StepOptions): AbortSignal | undefined {
  const signals = [...(stop === undefined ? [] : [stop]), ...(shielded === true ? [] : [run.cancelled.signal])]
  return signals.length === 0 ? undefined : AbortSignal.any(signals)
}

async function sleepOrStop(run: LiveRun, ms: number, stop: AbortSignal | undefined): Promise<void> {
  const signal = AbortSignal.any([run.letGo.signal, ...(stop === undefined ? [] : [stop])])
  try {
    await run.clock.sleep(ms, signal)
  } catch (error) {
    if (!signal.aborted) throw error
  }
}

function abortError(id: string, reason: unknown, error: unknown): unknown {
  if (!(reason instanceof HoldfastError)) return stoppedError(id, reason, true)
  if (reason.code !== 'timed-out') return stoppedError(id, reason, true, error)
  // What the step was struggling with says more than that its time was up.
  const last = error === reason || !isHoldfastError(error) ? '' : `: ${error.message}`
  return new HoldfastError('timed-out', { message: `${reason.message}${last}`, retryable: true, cause: error })
}

function stoppedError(id: string, reason: unknown, started: boolean, cause?: unknown): HoldfastError {
  const known = reason instanceof HoldfastError ? reason : undefined
  return new HoldfastError('run-cancelled', {
    message: `step ${id} was stopped: ${known?.message ?? String(reason)}`,
    details: { started, cancelled: known?.details.cancelled === true },
    cause,
  })
}

function isStopped(error: unknown): boolean {
  return error instanceof HoldfastError && error.code === 'run-cancelled'
}

function refuseLarge(id: string, value: Json): void {
  const bytes = Buffer.byteLength(JSON.stringify(value ?? null))
  if (bytes <= maxResultBytes) return
  throw new HoldfastError('result-too-large', {
    message: `the result of step ${id} has ${bytes} bytes, more than a journal takes (${maxResultBytes})`,
    hint: 'store it in a file and give its path',
    details: { step: id, bytes },
  })
}
