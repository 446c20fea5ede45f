import { spawn } from 'node:child_process'
import { open, readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { HoldfastError } from '../../kernel/index.ts'

export interface ReceiverProcess extends AsyncDisposable {
  readonly pid: number
  /** Lets it store what it has received, then ends it. Kills it when it has not ended after 10 s. */
  readonly stop: () => Promise<void>
  /** Throws what its log says when it has ended by itself. */
  readonly assertRunning: () => Promise<void>
}

/** Starts `holdfast postgres receive-wal SERVICE` as the process of its own that it is in production. */
export async function startReceiver(
  service: string,
  { catalog, log, env }: { catalog: string; log: string; env: NodeJS.ProcessEnv },
): Promise<ReceiverProcess> {
  const program = fileURLToPath(new URL('../../../bin/holdfast.js', import.meta.url))
  await using output = await open(log, 'a', 0o600)
  const child = spawn(process.execPath, [program, '--catalog', catalog, 'postgres', 'receive-wal', service], {
    env: { ...process.env, ...env },
    stdio: ['ignore', output.fd, output.fd],
    // Its own group: a Ctrl-C at the terminal must reach the demo first, which ends it in order.
    detached: true,
  })
  const ended = new Promise<void>((resolve) => {
    child.once('exit', () => resolve())
    child.once('error', () => resolve())
  })
  const stop = async () => {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill('SIGTERM')
      const timer = setTimeout(() => child.kill('SIGKILL'), 10_000)
      await ended
      clearTimeout(timer)
    }
  }
  return {
    pid: child.pid ?? -1,
    stop,
    async assertRunning() {
      if (child.exitCode === null && child.signalCode === null && child.pid !== undefined) return
      throw new HoldfastError('postgres-failed', {
        message: `the WAL receiver ended: ${(await readFile(log, 'utf8')).trim().split('\n').slice(-3).join(' / ')}`,
        hint: `read ${log}`,
      })
    },
    [Symbol.asyncDispose]: stop,
  }
}
