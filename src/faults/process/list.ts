import { readdirSync, readFileSync } from 'node:fs'

/** A process as /proc shows it. */
export interface RunningProcess {
  readonly pid: number
  readonly parent: number
  /** proc_pid_stat(5): R, S, D, T, … */
  readonly state: string
  /** When it started, in the kernel's own form. */
  readonly started: string
  /** At most 15 bytes. */
  readonly name: string
  /** Its arguments with spaces between them; empty for threads of the kernel. */
  readonly command: string
}

export function listProcesses(): RunningProcess[] {
  return readdirSync('/proc').flatMap((name) => {
    const found = /^\d+$/.test(name) ? readRunning(Number(name)) : undefined
    return found === undefined ? [] : [found]
  })
}

/** Undefined for one that is gone, or of which only the exit status is left. */
export function readRunning(pid: number): RunningProcess | undefined {
  const stat = tryRead(`/proc/${pid}/stat`)
  if (stat === '') return undefined
  const nameEnd = stat.lastIndexOf(')')
  const fields = stat.slice(nameEnd + 2).split(' ')
  const [state = '', parent] = fields
  if (state === 'Z' || state === 'X') return undefined
  return {
    pid,
    parent: Number(parent),
    state,
    started: fields[19] ?? '',
    name: stat.slice(stat.indexOf('(') + 1, nameEnd),
    command: tryRead(`/proc/${pid}/cmdline`).replaceAll('\0', ' ').trim(),
  }
}

function tryRead(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}
