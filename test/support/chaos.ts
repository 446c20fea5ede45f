import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openGuard, type Guard, type GuardOptions } from '../../src/chaos/index.ts'
import { faults, type BoundFault } from '../../src/faults/index.ts'
import { HoldfastError } from '../../src/kernel/index.ts'

export const never = new AbortController().signal

/** A fault of the list with its parameters. */
export function bound(kind: string, params: unknown): BoundFault {
  const fault = faults.find((known) => known.kind === kind)
  if (fault === undefined) throw new HoldfastError('internal', { message: `there is no fault ${kind}` })
  return fault.bind(params)
}

/** A temporary folder, removed at the end. */
export async function chaosFolder(): Promise<{ readonly path: string } & AsyncDisposable> {
  const path = await mkdtemp(join(tmpdir(), 'holdfast-chaos-'))
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) }
}

export async function guardIn(folder: string, options: Partial<GuardOptions> = {}): Promise<Guard> {
  return await openGuard({ directory: join(folder, 'faults'), experiment: 'test', faults, ...options }, never)
}

export interface Victim extends AsyncDisposable {
  readonly pid: number
  /** proc_pid_stat(5). */
  state(): Promise<string>
}

/** A process to do things to: it sleeps, and is ended at the end. */
export async function startVictim(command: readonly [string, ...string[]] = ['sleep', '600']): Promise<Victim> {
  const [program, ...args] = command
  const child = spawn(program, args, { stdio: 'ignore', detached: true })
  const ended = once(child, 'exit')
  await once(child, 'spawn')
  const { pid = 0 } = child
  return {
    pid,
    async state() {
      const stat = await readFile(`/proc/${pid}/stat`, 'utf8')
      return stat.slice(stat.lastIndexOf(')') + 2, stat.lastIndexOf(')') + 3)
    },
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL')
      await ended
    },
  }
}
