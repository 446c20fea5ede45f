import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { openGuard, type Guard, type GuardOptions } from '../../src/chaos/index.ts'
import { faults, type BoundFault } from '../../src/faults/index.ts'
import { HoldfastError, identityOf } from '../../src/kernel/index.ts'
import { until } from './until.ts'

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
  /** It writes there; its name is in its command line. */
  readonly file: string
  /** Whether it makes no progress: it counts, some hundred times a second. */
  standsStill(): Promise<boolean>
  runs(): Promise<boolean>
}

/** A process to do things to, ended at the end. */
export async function startVictim(): Promise<Victim> {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-victim-'))
  const file = join(folder, 'count')
  const child = spawn('sh', ['-c', 'n=0; while :; do n=$((n+1)); echo $n > "$0"; sleep 0.02; done', file], {
    stdio: 'ignore',
    detached: true,
  })
  const ended = once(child, 'exit')
  await until(
    'the victim counts',
    () => readFile(file, 'utf8').catch(() => ''),
    (text) => text !== '',
  )
  return {
    pid: child.pid ?? 0,
    file,
    runs: async () => (await identityOf(child.pid ?? 0)) !== undefined,
    async standsStill() {
      // Paused in the middle of its turn, it is at the next one's beginning soon after it was let go on; a second is long for that.
      const before = await readFile(file, 'utf8')
      for (let waited = 0; waited < 20; waited++) {
        await delay(50)
        if ((await readFile(file, 'utf8')) !== before) return false
      }
      return true
    },
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL')
      await ended
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/** Of proc_pid_stat(5); empty for none. */
export async function stateOf(pid: number): Promise<string> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')
  return stat.slice(stat.lastIndexOf(')') + 2, stat.lastIndexOf(')') + 3)
}
