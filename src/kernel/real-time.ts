import { readFile } from 'node:fs/promises'
import { messageOf } from './errors.ts'
import { runProcess } from './process.ts'

export interface RealTime extends AsyncDisposable {
  /** Why this process is scheduled like any other. */
  readonly because?: string
}

/** SCHED_OTHER, in /proc/PID/stat. */
const usual = 0

/**
 * Has the main thread of this process run as soon as it is woken, however busy the machine is, until it is disposed: SCHED_RR with the lowest
 * priority (sched(7)). Other threads that begin meanwhile, and processes, are scheduled as usual (SCHED_RESET_ON_FORK). For work of milliseconds: what
 * runs longer keeps others from a processor. It takes root or CAP_SYS_NICE, and chrt(1); without, `because` says so, and nothing is changed.
 */
export async function realTime(): Promise<RealTime> {
  const { pid } = process
  const policy = await schedulingPolicy(pid)
  if (policy !== usual) return none(`the scheduling policy of this process is ${policy ?? 'not known'}: somebody has chosen it`)
  const because = await chrt('--rr', '--reset-on-fork', '--pid', '1', String(pid))
  if (because !== undefined) return none(because)
  return { [Symbol.asyncDispose]: async () => void (await chrt('--other', '--pid', '0', String(pid))) }
}

/** The policy of a process's main thread, as sched_setscheduler(2) numbers it; undefined: it is gone, or this is not Linux. */
export async function schedulingPolicy(pid: number): Promise<number | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined)
  // The name before it may have anything in it; the policy is the 41st field (proc(5)).
  const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ')
  return fields === undefined ? undefined : Number(fields[38])
}

async function chrt(...args: string[]): Promise<string | undefined> {
  try {
    const { exitCode, stderr } = await runProcess('chrt', args)
    return exitCode === 0 ? undefined : stderr.trim()
  } catch (error) {
    return messageOf(error)
  }
}

function none(because: string): RealTime {
  return { because, [Symbol.asyncDispose]: async () => {} }
}
