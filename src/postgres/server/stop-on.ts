import { systemCode } from '../../kernel/index.ts'
import { findRunningServer, serverProcesses, waitUntilGone } from './running.ts'
import { removeAdmission } from './sandbox.ts'
import { removeSocketFolder } from './socket-folder.ts'

const politeMs = 60_000
const killedMs = 30_000

/**
 * Ends the server on a data directory, whoever started it, and removes its private socket: asked first (`fast`), then killed. Needs none of
 * its programs. Gives the server's process id; undefined when none ran. Only for a copy: what it had not written is written when it starts
 * the next time.
 */
export async function stopServerOn(dataDir: string, signal?: AbortSignal): Promise<number | undefined> {
  const found = await findRunningServer(dataDir)
  if (found !== undefined) {
    send(found.pid, 'SIGINT')
    await waitUntilGone(found.pid, politeMs, signal)
  }
  for (const pid of await serverProcesses(dataDir)) {
    send(pid, 'SIGKILL')
    await waitUntilGone(pid, killedMs, signal)
  }
  await removeSocketFolder(dataDir)
  await removeAdmission(dataDir)
  return found?.pid
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch (error) {
    if (systemCode(error) !== 'ESRCH') throw error
  }
}
