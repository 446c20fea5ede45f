import { constants, readdirSync, readFileSync, statSync } from 'node:fs'
import { listProcesses, type RunningProcess } from '../process/list.ts'

/** The processes that have a file of that device (st_dev) open for writing. Needs root to see those of others. */
export function writersOn(device: number): RunningProcess[] {
  return listProcesses().filter(({ pid }) => openForWriting(pid).some((path) => deviceOf(path) === device))
}

/** proc_pid_fdinfo(5). */
function openForWriting(pid: number): string[] {
  return list(`/proc/${pid}/fd`).flatMap((fd) => {
    const [, flags] = /^flags:\s*([0-7]+)/m.exec(read(`/proc/${pid}/fdinfo/${fd}`)) ?? []
    const isWriter = flags !== undefined && (Number.parseInt(flags, 8) & (constants.O_WRONLY | constants.O_RDWR)) !== 0
    return isWriter ? [`/proc/${pid}/fd/${fd}`] : []
  })
}

function deviceOf(path: string): number | undefined {
  try {
    return statSync(path).dev
  } catch {
    return undefined
  }
}

/** Empty for a process that is gone or not ours to look at. */
function list(path: string): string[] {
  try {
    return readdirSync(path)
  } catch {
    return []
  }
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}
