import { join } from 'node:path'
import { HoldfastError, sha256Hex, isHoldfastError } from '../../kernel/index.ts'
import { acquireOwnerLock, type LockOwner } from '../../journal/index.ts'
import { never, type LiveRun } from './live-run.ts'

export interface EnvironmentLock {
  readonly token: number
  release(): Promise<void>
}

/** One lock per environment, which belongs to a run rather than to a process: an interrupted run keeps it until it has ended. */
export interface EnvironmentLocks {
  /** Throws `run-busy`. A run that has begun before is let go instead: it must not fail for another's sake. */
  take(environment: string, run: LiveRun): Promise<EnvironmentLock>
}

/** @param hasEnded whether the run of that id needs its locks no more */
export function createEnvironmentLocks(stateDirectory: string, hasEnded: (runId: string) => Promise<boolean>): EnvironmentLocks {
  return {
    async take(environment, run) {
      const { runId } = run.folder
      const mayTakeOver = async ({ holder }: LockOwner) => holder === undefined || holder === runId || (await hasEnded(holder))
      const directory = join(stateDirectory, 'locks', folderName(environment))
      const purpose = `environment ${environment}`
      try {
        const lock = await acquireOwnerLock(directory, { purpose, holder: runId, mayTakeOver })
        let held = true
        run.letGo.signal.addEventListener('abort', () => {
          // Other processes may then resume this run; no other run may have the environment.
          if (held) void run.track(lock.abandon())
        })
        return {
          token: lock.token,
          async release() {
            held = false
            await lock[Symbol.asyncDispose]()
          },
        }
      } catch (error) {
        if (!isHoldfastError(error, 'run-busy') || run.recorded.steps.size === 0) throw error
        void run.close(busyMeanwhile(environment, error))
        return never()
      }
    },
  }
}

function busyMeanwhile(environment: string, cause: HoldfastError): HoldfastError {
  return new HoldfastError('run-busy', {
    message: `the environment ${environment} was taken by another run meanwhile: ${cause.message}`,
    hint: 'wait for that run, then resume this one',
    cause,
    details: cause.details,
  })
}

/** Readable where it can be, and never another environment's. */
function folderName(environment: string): string {
  return /^[a-z0-9][a-z0-9-]{0,60}$/.test(environment) ? environment : `x_${sha256Hex(environment).slice(0, 32)}`
}
