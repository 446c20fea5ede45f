import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { actions, type ActionContext, type BoundAction } from '../../src/actions/index.ts'
import { setImmediate } from 'node:timers/promises'
import { Secret } from '../../src/catalog/index.ts'
import { HoldfastError, systemClock, type Clock } from '../../src/kernel/index.ts'
import { contextIn } from './plans.ts'

/** An AWS action by itself, as a step of a run would use it. */
export interface TriedAction {
  readonly action: BoundAction
  preflight(): ReturnType<BoundAction['preflight']>
  probe(previous?: 'none' | 'failed' | 'interrupted', signal?: AbortSignal): ReturnType<BoundAction['probe']>
  run(signal?: AbortSignal): ReturnType<BoundAction['run']>
  undo(): Promise<void>
}

export interface ActionBench extends AsyncDisposable {
  /** A step of its own, with notes of its own. */
  step(kind: string, params: object): TriedAction
}

/** The secrets that AWS actions refer to are the names of their files. */
export async function actionBench(parts: Partial<ActionContext> = {}): Promise<ActionBench> {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-aws-'))
  const context = contextIn(folder, {
    resolveSecret: (reference) => Promise.resolve(new Secret('file' in reference ? reference.file : 'test', reference)),
    ...parts,
  })
  let steps = 0
  return {
    step(kind, params) {
      const found = actions.find((candidate) => candidate.kind === kind)
      if (found === undefined) throw new Error(`there is no ${kind}`)
      const action = found.bind(params)
      const idempotencyKey = `r/${++steps}`
      const never = new AbortController().signal
      const attempt = (signal: AbortSignal) => ({ signal, idempotencyKey, attempt: 1, fencingToken: 1, timeoutMs: 60_000 })
      return {
        action,
        preflight: () => action.preflight(context, never),
        probe: (previous = 'none', signal = never) => action.probe(context, { signal, idempotencyKey, previous }),
        run: (signal = never) => action.run(context, attempt(signal)),
        undo: () => action.undo(null, context, attempt(never)),
      }
    },
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  }
}

/** What moto takes as long as it does not enforce IAM. */
export const anyCredentials = { accessKeyId: { env: 'AWS_TEST_ID' }, secretAccessKey: { env: 'AWS_TEST_SECRET' } }

/** A clock on which sleeping takes no time: it jumps. `within` gives a signal that aborts when it has jumped that far. */
export function leapingClock() {
  const limits: { readonly atMs: number; readonly controller: AbortController }[] = []
  let leaptMs = 0
  const clock: Clock = {
    now: () => new Date(Date.now() + leaptMs),
    monotonicMs: () => systemClock.monotonicMs() + leaptMs,
    async sleep(ms, signal) {
      leaptMs += ms
      for (const { atMs, controller } of limits) {
        if (leaptMs >= atMs) controller.abort(new HoldfastError('timed-out', { message: 'its time is up' }))
      }
      signal?.throwIfAborted()
      await setImmediate()
    },
  }
  const within = (ms: number): AbortSignal => {
    const controller = new AbortController()
    limits.push({ atMs: leaptMs + ms, controller })
    return controller.signal
  }
  return { clock, within }
}
