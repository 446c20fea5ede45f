import { readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runProcess, systemCode } from '../../src/kernel/index.ts'

/** Behind it comes the pid of whoever made it. */
export const namespacePrefix = 'holdfast-net-'
export const worldPrefix = 'holdfast-world-'

/**
 * Ends what a process that was killed has left: the namespaces that it made and every process in them, and the folders of their worlds. What belongs to a
 * process that lives, and what is not named after one, stays.
 */
export async function sweepNamespaces(): Promise<void> {
  const { stdout } = await runProcess('ip', ['netns', 'list'])
  const names = stdout.split('\n').map((line) => line.split(' ')[0] ?? '')
  for (const name of names.filter((each) => isLeft(each, namespacePrefix))) {
    const { stdout: pids } = await runProcess('ip', ['netns', 'pids', name])
    for (const pid of pids.split('\n').filter((text) => text !== '')) end(Number(pid))
    // Another sweep may have been faster.
    await runProcess('ip', ['netns', 'delete', name])
  }
  for (const folder of (await readdir(tmpdir())).filter((each) => isLeft(each, worldPrefix)))
    await rm(join(tmpdir(), folder), { recursive: true, force: true, maxRetries: 5 })
}

function isLeft(name: string, prefix: string): boolean {
  const [, pid] = new RegExp(`^${prefix}(\\d+)-`).exec(name) ?? []
  return pid !== undefined && !lives(Number(pid))
}

function lives(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return systemCode(error) !== 'ESRCH'
  }
}

function end(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch (error) {
    if (systemCode(error) !== 'ESRCH') throw error
  }
}
