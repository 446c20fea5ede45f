import { readdir, readFile } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'
import { HoldfastError, systemCode } from './errors.ts'

/** What a process was started with: its environment, as `NAME=VALUE`, and its session. */
export interface StartedWith {
  has(variable: string): boolean
  /** Whether there is a variable of that name, whatever its value. */
  names(name: string): boolean
  readonly session: string
}

interface Found {
  readonly pid: number
  readonly session: number
  readonly counts: boolean
}

/**
 * The pids of the processes whose environment counts, without this one: by a variable, whoever started a program finds it and its children
 * again, also from another process. Needs /proc, and the right to read it: elsewhere it finds nothing.
 */
export async function processesStartedWith(counts: (started: StartedWith) => boolean): Promise<number[]> {
  return (await lookAtAll(counts)).filter((found) => found.counts).map(({ pid }) => pid)
}

/** With all that is in the sessions which they lead: some programs write over the environment of what they fork (stress-ng). */
export async function sessionsStartedWith(counts: (started: StartedWith) => boolean): Promise<number[]> {
  const all = await lookAtAll(counts)
  const led = new Set(all.filter((found) => found.counts && found.session === found.pid).map(({ pid }) => pid))
  return all.filter((found) => found.counts || led.has(found.session)).map(({ pid }) => pid)
}

async function lookAtAll(counts: (started: StartedWith) => boolean): Promise<Found[]> {
  const names = process.platform === 'linux' ? await readdir('/proc') : []
  const pids = names.filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
  return (await Promise.all(pids.map((name) => lookAt(name, counts)))).flat()
}

/** Empty for one that is gone, or of which only the exit status is left. */
async function lookAt(name: string, counts: (started: StartedWith) => boolean): Promise<Found[]> {
  const [environment, stat] = await Promise.all([readProc(name, 'environ'), readProc(name, 'stat')])
  // proc_pid_stat(5): after the name in parentheses come state, parent, group and session.
  const [state, , , session = ''] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  if (stat === '' || state === 'Z' || state === 'X') return []
  const variables = environment.split('\0')
  const started = {
    has: (variable: string) => variables.includes(variable),
    names: (name: string) => variables.some((variable) => variable.startsWith(`${name}=`)),
    session,
  }
  return [{ pid: Number(name), session: Number(session), counts: environment !== '' && counts(started) }]
}

/**
 * Ends what `find` finds, until it finds nothing more: each signal is given `graceMs` before the next. Returns how many there were. Throws
 * `outcome-unknown` when they do not go.
 */
export async function endProcesses(
  find: () => Promise<readonly number[]>,
  signals: readonly NodeJS.Signals[],
  graceMs: number,
  signal: AbortSignal,
): Promise<number> {
  let left = await find()
  const { length } = left
  for (const name of signals) {
    for (const pid of left) sendSignal(pid, name)
    const deadline = performance.now() + graceMs
    for (left = await find(); left.length > 0 && performance.now() < deadline; left = await find()) {
      signal.throwIfAborted()
      await delay(5)
    }
    if (left.length === 0) return length
  }
  throw new HoldfastError('outcome-unknown', {
    message: `processes do not end: ${left.join(', ')}`,
    hint: 'see what they wait for',
    details: { pids: left },
  })
}

/** False when there is no such process any more. */
export function sendSignal(pid: number, name: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, name)
  } catch (error) {
    if (systemCode(error) !== 'ESRCH') throw error
    return false
  }
}

/** '' for a process that is gone or not ours. */
async function readProc(pid: string, file: string): Promise<string> {
  return await readFile(`/proc/${pid}/${file}`, 'utf8').catch(() => '')
}
