import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { AnyFault, BoundFault } from '../../faults/index.ts'
import { acquireOwnerLock, type OwnerLock } from '../../journal/index.ts'
import { HoldfastError, systemClock } from '../../kernel/index.ts'
import { Ahead } from './ahead.ts'
import { injectFault, type Injection, type InjectOptions, type InjectedFault } from './inject.ts'
import { sweep } from './sweep.ts'
import { startWatchdog } from './watchdog.ts'

export interface GuardOptions
  extends
    Partial<Pick<InjectOptions, 'clock' | 'cleanUpMs'>>,
    Omit<InjectOptions, 'clock' | 'cleanUpMs' | 'watchdog' | 'holder'> {
  readonly faults: readonly AnyFault[]
  /** What is going to be injected, in its order: the processes that hold it are started ahead. */
  readonly ahead?: readonly BoundFault[]
  /** The watchdog takes everything back when it has heard nothing for that long. Default 10 s. */
  readonly leaseMs?: number
}

/** What an experiment injects through. Disposing it takes back what is still injected, and ends the watchdog. */
export interface Guard extends AsyncDisposable {
  /** Aborts when the watchdog is gone: the experiment must end, and nothing more can be injected. */
  readonly watchdogLost: AbortSignal
  /**
   * Preflight, plan, durable record, watchdog, injection, and a look that the fault is really there. Throws `fault-refused` when something stands in
   * the way or there is no target, `fault-failed` when it is not there (what there was of it is taken back), `clean-up-failed` when that did not work.
   *
   * @param limitMs after which nothing of it is left, whatever happens to this process
   */
  inject(fault: BoundFault, limitMs: number, signal: AbortSignal): Promise<InjectedFault>
}

const defaultLeaseMs = 10_000
const defaultCleanUpMs = 60_000

/**
 * Sweeps, and then starts the watchdog. Throws `run-busy` while another process injects with the same directory, and `fault-open` when a fault of an
 * earlier experiment cannot be taken back: as long as its record is open, no other begins.
 */
export async function openGuard(options: GuardOptions, signal: AbortSignal): Promise<Guard> {
  const { directory, faults, experiment, clock = systemClock } = options
  const { leaseMs = defaultLeaseMs, cleanUpMs = defaultCleanUpMs } = options
  await mkdir(directory, { recursive: true, mode: 0o700 })
  await using cleanUp = new AsyncDisposableStack()
  cleanUp.use(await lock(directory, experiment))
  await requireSwept({ directory, faults, clock }, signal)
  const ahead = cleanUp.use(new Ahead(options.ahead ?? []))
  ahead.start()
  const watchdog = cleanUp.use(await startWatchdog({ directory, leaseMs, budgetMs: cleanUpMs * 10 }))
  const injected = new Map<string, Injection>()
  watchdog.onCleared((id) => injected.get(id)?.expire())
  const owned = cleanUp.move()
  return {
    watchdogLost: watchdog.lost,
    async inject(fault, limitMs, signal) {
      await using unused = new AsyncDisposableStack()
      const holder = ahead.take(fault)
      if (holder !== undefined) unused.use(holder)
      const added = await injectFault(
        fault,
        limitMs,
        { ...options, clock, cleanUpMs, watchdog, ...(holder && { holder }) },
        signal,
      )
      unused.move()
      injected.set(added.id, added)
      ahead.start()
      return added
    },
    async [Symbol.asyncDispose]() {
      const problems: unknown[] = []
      // The last injected first: one may be what the other was injected through.
      for (const fault of [...injected.values()].reverse()) await fault.end().catch((error: unknown) => problems.push(error))
      // A fault that is still there is left to the watchdog, which goes on when its lease is lost.
      await owned.disposeAsync()
      if (problems.length > 0) throw problems[0]
    },
  }
}

async function lock(directory: string, experiment: string): Promise<OwnerLock> {
  return await acquireOwnerLock(join(directory, 'lock'), { purpose: `the right to inject faults (${experiment})` })
}

async function requireSwept(options: Parameters<typeof sweep>[0], signal: AbortSignal): Promise<void> {
  const left = (await sweep(options, signal)).find(({ state }) => state !== 'cleared')
  if (left === undefined) return
  throw new HoldfastError('fault-open', {
    message: `a fault of an earlier experiment is still open: ${left.kind} of ${left.experiment} on ${left.targets.join(', ')} (${left.state})`,
    hint: 'see `holdfast chaos sweep`; nothing new is broken before it is gone',
    details: { id: left.id, state: left.state },
  })
}
