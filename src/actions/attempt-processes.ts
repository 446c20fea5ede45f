import { readdir, readFile } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'
import { HoldfastError, sha256Hex, systemCode } from '../kernel/index.ts'

const cookieName = 'HOLDFAST_PROCESSES_OF'
const sessionName = 'HOLDFAST_SESSION'
const graceMs = 5000

/** The variable by which the processes of a step's attempts are known, also to a process that did not start them. */
export function attemptCookie(stateDirectory: string, idempotencyKey: string): Record<string, string> {
  return { [cookieName]: cookieOf(stateDirectory, idempotencyKey) }
}

/** A command that knows the session it runs in: a daemon that leaves it on purpose is no longer part of the attempt. */
export function inOwnSession(program: string, args: readonly string[]): [string, string[]] {
  return ['sh', ['-c', `export ${sessionName}=$$; exec "$@"`, 'sh', program, ...args]]
}

/**
 * Ends what an interrupted attempt of a step left running: when its orchestrator was killed, nobody else stops it, and it must not go on
 * while the step runs again or is undone. SIGTERM, then SIGKILL after 5 s; returns once they are gone. Throws `outcome-unknown` when they
 * do not go. Needs /proc: elsewhere it finds nothing.
 */
export async function endLeftProcesses(stateDirectory: string, idempotencyKey: string, signal: AbortSignal): Promise<number> {
  const cookie = cookieOf(stateDirectory, idempotencyKey)
  const left = await processesOf(cookie)
  for (const name of ['SIGTERM', 'SIGKILL'] as const) {
    for (const pid of await processesOf(cookie)) sendSignal(pid, name)
    const deadline = performance.now() + graceMs
    while ((await processesOf(cookie)).length > 0 && performance.now() < deadline) {
      signal.throwIfAborted()
      await delay(20)
    }
    if ((await processesOf(cookie)).length === 0) return left.length
  }
  throw new HoldfastError('outcome-unknown', {
    message: `processes of an interrupted attempt do not end: ${(await processesOf(cookie)).join(', ')}`,
    hint: 'see what they wait for; the step goes on when they are gone',
  })
}

function cookieOf(stateDirectory: string, idempotencyKey: string): string {
  return sha256Hex(`${stateDirectory}\0${idempotencyKey}`).slice(0, 32)
}

async function processesOf(cookie: string): Promise<number[]> {
  const names = process.platform === 'linux' ? await readdir('/proc') : []
  const found: number[] = []
  for (const name of names) {
    if (!/^\d+$/.test(name) || Number(name) === process.pid) continue
    const [environment, stat] = await Promise.all([readProc(name, 'environ'), readProc(name, 'stat')])
    const variables = environment.split('\0')
    // proc_pid_stat(5): after the name in parentheses come state, parent, group and session.
    const [state, , , session] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    if (state === 'Z' || !variables.includes(`${cookieName}=${cookie}`)) continue
    if (variables.includes(`${sessionName}=${session}`)) found.push(Number(name))
  }
  return found
}

/** '' for a process that is gone or not ours. */
async function readProc(pid: string, file: string): Promise<string> {
  return await readFile(`/proc/${pid}/${file}`, 'utf8').catch(() => '')
}

function sendSignal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name)
  } catch (error) {
    if (systemCode(error) !== 'ESRCH') throw error
  }
}
