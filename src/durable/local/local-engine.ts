import { hostname } from 'node:os'
import { HoldfastError, isHoldfastError, systemClock, type Clock, type Json } from '../../kernel/index.ts'
import { lockHolder, openJournal } from '../../journal/index.ts'
import type { DurableEngine, RunBinding, RunFilter, RunResult, RunSpec, RunView } from '../engine.ts'
import { parseEvent, type RunEvent } from '../events.ts'
import { recordFailure } from '../failure.ts'
import type { RunHandler } from '../run-context.ts'
import { createEnvironmentLocks } from './environment-locks.ts'
import { postLetter } from './inbox.ts'
import { LiveRun } from './live-run.ts'
import { createLocalContext } from './local-context.ts'
import { runFolder, runIds, type RunFolder } from './run-folder.ts'
import { RunReader } from './run-reader.ts'
import { viewOf } from './view.ts'

export interface LocalEngineOptions {
  /** The state directory: runs are in `runs/<id>/`, locks in `locks/`. On a file system of this machine. */
  readonly directory: string
  /** What runs do. Without it the engine only looks at runs and writes to them; `submit` and `resume` are refused. */
  readonly handler?: RunHandler
  readonly clock?: Clock
  /** Called once a record of any run is durable: where crash tests pull the plug. */
  readonly afterRecord?: (runId: string, seq: number) => void
}

const pollMs = 100

interface Active {
  readonly run: LiveRun
  readonly result: Promise<RunResult>
}

/** Runs in fsynced journals in a directory: nothing to install, for one machine. */
export function openLocalEngine({ directory, handler, clock = systemClock, afterRecord }: LocalEngineOptions): DurableEngine {
  const active = new Map<string, Active>()
  const readers = new Map<string, RunReader>()
  const reader = (folder: RunFolder) => readers.getOrInsertComputed(folder.runId, () => new RunReader(folder))
  const locks = createEnvironmentLocks(directory, async (runId) => {
    try {
      return (await new RunReader(runFolder(directory, runId)).events()).some((event) => event.type === 'ended')
    } catch (error) {
      if (isHoldfastError(error, 'run-not-found')) return true
      throw error
    }
  })

  /** Opens a run's journal for writing and starts its handler; `before` checks what is in it and says what to record first. */
  async function start(folder: RunFolder, spec: RunSpec | undefined, binding: RunBinding): Promise<void> {
    if (handler === undefined) throw new HoldfastError('internal', { message: 'this engine was opened without a handler' })
    if (active.has(folder.runId)) return
    const journal = await openJournal(folder.journal, {
      purpose: `run ${folder.runId}`,
      ...(afterRecord === undefined ? {} : { afterRecord: (seq: number) => afterRecord(folder.runId, seq) }),
    })
    let live: LiveRun | undefined
    try {
      const events = journal.records.map((record) => parseEvent(record, folder.journal))
      const submitted = events[0]?.type === 'submitted' ? events[0] : undefined
      if (submitted !== undefined) refuseOther(submitted, binding)
      if (submitted === undefined && spec === undefined) await reader(folder).events()
      if (events.some((event) => event.type === 'ended')) return await journal[Symbol.asyncDispose]()
      const letGo = Promise.withResolvers<never>()
      letGo.promise.catch(() => {})
      live = new LiveRun(folder, journal, clock, events, (cause) => {
        active.delete(folder.runId)
        if (cause !== undefined) letGo.reject(cause)
      })
      // The same moment by both clocks: `at` is taken from the steady one when it is recorded.
      const now = { monotonicMs: clock.monotonicMs(), boot: live.anchor.boot }
      if (submitted === undefined && spec !== undefined) await live.record({ type: 'submitted', clock: now, ...bound(spec) })
      else await live.record({ type: 'resumed', clock: now, pid: process.pid, host: hostname() })
      const input = submitted?.input ?? spec?.input ?? null
      const result = Promise.race([execute(live, handler, input), letGo.promise])
      result.catch(() => {})
      active.set(folder.runId, { run: live, result })
    } catch (error) {
      if (live === undefined) await journal[Symbol.asyncDispose]()
      else await live.close(error)
      throw error
    }
  }

  async function execute(run: LiveRun, body: RunHandler, input: Json): Promise<RunResult> {
    // Letters that came while nobody worked on the run count from its first step.
    await run.collectLetters()
    let result: RunResult
    try {
      result = { state: 'completed', value: await body(createLocalContext(run, locks), input) }
    } catch (error) {
      result = { state: 'failed', error: recordFailure(error) }
    }
    await run.takeNoMoreLetters()
    await run.record({ type: 'ended', result })
    await run.close(undefined)
    return result
  }

  async function look(folder: RunFolder, run: RunReader): Promise<RunView> {
    const holder = await lockHolder(folder.lock)
    const events = await run.events()
    return viewOf(events, holder === undefined || holder.state === 'gone' ? undefined : holder.owner)
  }

  async function status(runId: string): Promise<RunView> {
    const folder = runFolder(directory, runId)
    return await look(folder, reader(folder))
  }

  return {
    async submit(spec) {
      const folder = runFolder(directory, spec.runId)
      const existing = await reader(folder)
        .events()
        .catch((error: unknown) => {
          if (!isHoldfastError(error, 'run-not-found')) throw error
        })
      if (existing === undefined) await start(folder, spec, spec)
      else refuseOther(existing[0], spec)
    },
    async attach(runId, signal) {
      const here = active.get(runId)
      if (here !== undefined) return orAborted(here.result, signal)
      for (;;) {
        const view = await status(runId)
        if (view.result !== undefined) return view.result
        if (view.state === 'interrupted') throw interrupted(runId)
        await clock.sleep(pollMs, signal)
      }
    },
    status,
    async list({ state, prefix = '', newest, onUnreadable } = {}) {
      const found: { folder: RunFolder; run: RunReader; at: string }[] = []
      for (const runId of await runIds(directory)) {
        if (!runId.startsWith(prefix)) continue
        const folder = runFolder(directory, runId)
        // Of its own: a list of many runs is not kept.
        const run = readers.get(runId) ?? new RunReader(folder)
        const at = await readable(runId, () => run.submittedAt(), onUnreadable)
        if (at !== undefined) found.push({ folder, run, at })
      }
      found.sort((a, b) => a.at.localeCompare(b.at))
      const views: RunView[] = []
      const chosen = newest === undefined ? found : found.slice(-newest)
      // Whoever looks for one run looks into it next.
      for (const { folder, run } of chosen.length === 1 ? chosen : []) readers.set(folder.runId, run)
      for (const { folder, run } of chosen) {
        const view = await readable(folder.runId, () => look(folder, run), onUnreadable)
        if (view !== undefined && (state === undefined || state === view.state)) views.push(view)
      }
      return views
    },
    async *history(runId, { follow = false } = {}, signal) {
      const run = reader(runFolder(directory, runId))
      let shown = 0
      let hasEnded = false
      for (;;) {
        const events = await run.events()
        // More may be added to it meanwhile, by another look at the same run.
        for (const until = events.length; shown < until; shown++) {
          const event = events[shown] as RunEvent
          yield event
          // Earlier versions recorded letters behind it that came too late.
          hasEnded ||= event.type === 'ended'
        }
        if (!follow || hasEnded) return
        await clock.sleep(pollMs, signal)
      }
    },
    async requestCancel(runId, reason) {
      await refuseEnded(await status(runId))
      await postLetter(runFolder(directory, runId).inbox, { type: 'cancel', reason })
      await active.get(runId)?.run.collectLetters()
    },
    async signal(runId, name, value) {
      await refuseEnded(await status(runId))
      await postLetter(runFolder(directory, runId).inbox, { type: 'signal', name, value })
      await active.get(runId)?.run.collectLetters()
    },
    async resume(runId, binding) {
      const folder = runFolder(directory, runId)
      await reader(folder).events()
      await start(folder, undefined, binding)
    },
    async [Symbol.asyncDispose]() {
      const runs = [...active.values()]
      await Promise.all(runs.map(({ run }) => run.close(interrupted(run.folder.runId))))
    },
  }
}

/** Undefined for a run that is not there, and for one whose record cannot be read where somebody wants to be told instead. */
async function readable<T>(
  runId: string,
  read: () => Promise<T>,
  onUnreadable: RunFilter['onUnreadable'],
): Promise<T | undefined> {
  try {
    return await read()
  } catch (error) {
    if (isHoldfastError(error, 'run-not-found')) return undefined
    if (!isHoldfastError(error) || onUnreadable === undefined) throw error
    onUnreadable(runId, error)
    return undefined
  }
}

function refuseOther(recorded: RunBinding & { readonly runId: string }, expected: RunBinding): void {
  const what =
    recorded.planHash !== expected.planHash
      ? 'plan'
      : recorded.codeVersion !== expected.codeVersion
        ? 'version of Holdfast'
        : undefined
  if (what === undefined) return
  throw new HoldfastError('plan-changed', {
    message: `the ${what} has changed since run ${recorded.runId} began: it cannot go on with another one`,
    hint:
      what === 'plan'
        ? `put the plan back as it was and resume, or \`holdfast run abort ${recorded.runId}\` and start again`
        : `go on with version ${recorded.codeVersion}, or \`holdfast run abort ${recorded.runId}\` and start again`,
    details: { runId: recorded.runId, recorded: pick(recorded), expected: pick(expected) },
  })
}

/** Without what a caller's object may carry besides. */
function bound({ runId, planHash, codeVersion, input }: RunSpec): RunSpec {
  return { runId, planHash, codeVersion, input }
}

function pick({ planHash, codeVersion }: RunBinding): RunBinding {
  return { planHash, codeVersion }
}

async function refuseEnded({ runId, state }: RunView): Promise<void> {
  if (state !== 'completed' && state !== 'failed') return
  throw new HoldfastError('usage', { message: `run ${runId} has ended`, hint: `\`holdfast run show ${runId}\` shows how` })
}

function interrupted(runId: string): HoldfastError {
  return new HoldfastError('run-interrupted', {
    message: `run ${runId} was interrupted, and no process works on it`,
    hint: `\`holdfast run resume ${runId}\` goes on with it, \`holdfast run abort ${runId}\` undoes it`,
    details: { runId },
  })
}

async function orAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return work
  signal.throwIfAborted()
  const { promise, reject } = Promise.withResolvers<never>()
  const onAbort = () => reject(signal.reason)
  signal.addEventListener('abort', onAbort, { once: true })
  try {
    return await Promise.race([work, promise])
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}
