import { readdir, readFile } from 'node:fs/promises'
import { systemClock, systemCode } from '../../kernel/index.ts'

const graceMs = 5000

/**
 * Ends every process that a step of this run started and that is still there, also one that made itself a daemon: they are known by the
 * run's id in their environment (Linux; elsewhere none are found). SIGTERM, then SIGKILL after 5 s. Gives their ids.
 */
export async function endProcessesOf(runId: string, signal: AbortSignal): Promise<number[]> {
  const found = await processesOf(runId)
  for (const name of ['SIGTERM', 'SIGKILL'] as const) {
    for (const pid of await processesOf(runId)) send(pid, name)
    const deadline = systemClock.monotonicMs() + graceMs
    while ((await processesOf(runId)).length > 0 && systemClock.monotonicMs() < deadline) await systemClock.sleep(20, signal)
  }
  return found
}

export async function processesOf(runId: string): Promise<number[]> {
  const names = process.platform === 'linux' ? await readdir('/proc') : []
  const found: number[] = []
  for (const name of names) {
    if (!/^\d+$/.test(name) || Number(name) === process.pid) continue
    const [environment, stat] = await Promise.all([read(name, 'environ'), read(name, 'stat')])
    // proc_pid_stat(5): the state follows the name in parentheses. A zombie has ended.
    const isZombie = stat.slice(stat.lastIndexOf(')') + 2).startsWith('Z')
    if (!isZombie && environment.split('\0').includes(`HOLDFAST_RUN=${runId}`)) found.push(Number(name))
  }
  return found
}

/** '' for a process that is gone or not ours. */
async function read(pid: string, file: string): Promise<string> {
  return await readFile(`/proc/${pid}/${file}`, 'utf8').catch(() => '')
}

function send(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name)
  } catch (error) {
    if (systemCode(error) !== 'ESRCH') throw error
  }
}
