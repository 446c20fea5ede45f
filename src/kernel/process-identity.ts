import { readFileSync, readlinkSync } from 'node:fs'
import { hostname } from 'node:os'
import { bootIdentity } from './boot.ts'
import { runProcess } from './process.ts'

/** Which process, on which machine: a pid alone is reused, so its start time belongs to it. */
export interface ProcessIdentity {
  readonly pid: number
  /** When the process started, in the operating system's own form; only compared for equality. */
  readonly started: string
  /** The host and, where there is one, its pid namespace. */
  readonly host: string
  /** Changes with every boot of the host; empty where it is not known. */
  readonly boot: string
}

/** `alive`, `gone`, or `elsewhere` when the process belongs to a host or container whose processes cannot be seen from here. */
export type ProcessState = 'alive' | 'gone' | 'elsewhere'

export async function ownIdentity(): Promise<ProcessIdentity> {
  return (await identityOf(process.pid)) ?? { pid: process.pid, started: 'unknown', host: hostIdentity(), boot: bootIdentity() }
}

/** Undefined when no such process runs. */
export async function identityOf(pid: number): Promise<ProcessIdentity | undefined> {
  const started = await startTime(pid)
  return started === undefined ? undefined : { pid, started, host: hostIdentity(), boot: bootIdentity() }
}

export async function processState(identity: ProcessIdentity): Promise<ProcessState> {
  if (identity.host !== hostIdentity()) return 'elsewhere'
  if (identity.boot !== bootIdentity()) return 'gone'
  return (await startTime(identity.pid)) === identity.started ? 'alive' : 'gone'
}

/** Undefined when there is no such process, or only its unreaped exit status is left. */
async function startTime(pid: number): Promise<string | undefined> {
  if (process.platform !== 'linux') {
    const { exitCode, stdout } = await runProcess('ps', ['-o', 'lstart=', '-p', String(pid)])
    return exitCode === 0 && stdout.trim() !== '' ? stdout.trim() : undefined
  }
  const stat = tryRead(() => readFileSync(`/proc/${pid}/stat`, 'utf8'))
  if (stat === undefined) return undefined
  // proc_pid_stat(5): the name in parentheses may hold anything, so fields are counted from its end. Field 3 is the state, 22 the start.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return fields[0] === 'Z' || fields[0] === 'X' ? undefined : fields[19]
}

/** The machine and, where there is one, the pid namespace: what a pid is of. */
export function hostIdentity(): string {
  const namespace = process.platform === 'linux' ? tryRead(() => readlinkSync('/proc/self/ns/pid')) : undefined
  return namespace === undefined ? hostname() : `${hostname()} ${namespace}`
}

/** Undefined for what /proc does not show. */
function tryRead(read: () => string): string | undefined {
  try {
    return read()
  } catch {
    return undefined
  }
}
