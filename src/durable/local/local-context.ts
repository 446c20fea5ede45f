import { setImmediate } from 'node:timers/promises'
import { HoldfastError, type Json } from '../../kernel/index.ts'
import type { RunContext } from '../run-context.ts'
import type { EnvironmentLocks } from './environment-locks.ts'
import { never, type LiveRun } from './live-run.ts'
import { runStep } from './step.ts'

/** RunContext over a journal. */
export function createLocalContext(run: LiveRun, locks: EnvironmentLocks): RunContext {
  const { recorded } = run
  return {
    runId: run.folder.runId,
    clock: run.clock,
    step: (id, body, options = {}) => runStep(run, id, body, options),
    async all(branches) {
      const settled = await Promise.allSettled(branches.map((branch) => branch()))
      const failed = settled.find((result) => result.status === 'rejected')
      if (failed !== undefined) throw failed.reason
      return settled.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []))
    },
    async waitSignal(name, { timeoutMs, shielded = false, stop } = {}) {
      const known = recorded.wait(name)
      if (known.end !== undefined) return known.end.value
      await setImmediate()
      if (known.started === undefined) {
        if (!shielded) run.cancelled.signal.throwIfAborted()
        stop?.throwIfAborted()
        const until = timeoutMs === undefined ? {} : { untilMs: run.clock.now().getTime() + timeoutMs }
        await run.record({ type: 'wait-started', name, ...until })
      }
      const value = await waitForSignal(run, name, [stop, ...(shielded ? [] : [run.cancelled.signal])])
      await run.record({ type: 'wait-ended', name, ...(value === undefined ? {} : { value }) })
      return value
    },
    async sleep(id, ms, { shielded = false, stop } = {}) {
      await setImmediate()
      if (!recorded.sleeps.has(id)) await run.record({ type: 'sleep-started', id, untilMs: run.clock.now().getTime() + ms })
      const leftMs = (recorded.sleeps.get(id) ?? 0) - run.clock.now().getTime()
      if (leftMs > 0)
        await sleepUnless(run, Math.min(leftMs, ms), [
          ...(stop === undefined ? [] : [stop]),
          ...(shielded ? [] : [run.cancelled.signal]),
        ])
    },
    async now(id) {
      if (!recorded.times.has(id)) await run.record({ type: 'now', id })
      return recorded.times.get(id) ?? run.clock.now()
    },
    async withLock(environment, body) {
      const lock = await locks.take(environment, run)
      try {
        await run.record({ type: 'lock-taken', environment, token: lock.token })
        return await body(lock.token)
      } finally {
        // Also after an error: a run that ends gives its locks back. One that was let go never comes here, and keeps them.
        await lock.release()
      }
    },
    async note(id, body) {
      if (!recorded.notes.has(id)) await run.record({ type: 'note', id, body: body })
    },
  }
}

/** Undefined when the time is up. Throws the reason when one of `stops` aborts, and never returns when the run is let go. */
async function waitForSignal(run: LiveRun, name: string, stops: readonly (AbortSignal | undefined)[]): Promise<Json | undefined> {
  const untilMs = run.recorded.wait(name).started?.untilMs
  const timeUp = new AbortController()
  const stop = AbortSignal.any([timeUp.signal, run.letGo.signal, ...stops.filter((signal) => signal !== undefined)])
  const leftMs = untilMs === undefined ? undefined : Math.max(0, untilMs - run.clock.now().getTime())
  const timer = leftMs === undefined ? undefined : setTimeout(() => timeUp.abort(), leftMs)
  const value = await run.signalValue(name, stop)
  // Before it may stay pending for ever: a timer would keep the process alive.
  clearTimeout(timer)
  if (run.letGo.signal.aborted) return await never()
  if (value === undefined) for (const signal of stops) signal?.throwIfAborted()
  return value
}

async function sleepUnless(run: LiveRun, ms: number, stops: readonly AbortSignal[]): Promise<void> {
  try {
    await run.clock.sleep(ms, AbortSignal.any([run.letGo.signal, ...stops]))
  } catch (error) {
    if (run.letGo.signal.aborted) await never()
    for (const signal of stops) signal.throwIfAborted()
    throw new HoldfastError('internal', { message: 'a sleep was interrupted', cause: error })
  }
}
