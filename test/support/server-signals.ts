import { systemCode } from '../../src/kernel/index.ts'
import { serverProcesses } from '../../src/postgres/index.ts'
import { until } from './until.ts'

/** A signal to every process of the server on a data directory. */
export async function signalServer(dataDir: string, signal: NodeJS.Signals): Promise<void> {
  for (const pid of await processesOf(dataDir)) {
    try {
      process.kill(pid, signal)
    } catch (error) {
      if (systemCode(error) !== 'ESRCH') throw error
    }
  }
}

/** SIGKILL, which frozen processes obey too; until none is left. */
export async function killServer(dataDir: string): Promise<void> {
  await signalServer(dataDir, 'SIGKILL')
  await until(
    'until no process of the server is left',
    () => processesOf(dataDir),
    (pids) => pids.length === 0,
  )
}

async function processesOf(dataDir: string): Promise<number[]> {
  return await serverProcesses(dataDir).catch(() => [])
}
