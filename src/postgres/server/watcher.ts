import { spawn } from 'node:child_process'
import { realpath } from 'node:fs/promises'

/**
 * Waits for the end of its input, which is the end of the process that started it, however that came, SIGKILL included; then stops the
 * server, if the number is still that of the server on this data directory.
 */
const script = `
  while read -r _; do :; done
  if [ -e /proc/self ] && [ "$(readlink "/proc/$1/cwd")" != "$2" ]; then exit 0; fi
  kill -QUIT "$1"`

/** Ends a server with our process. Returns what takes that back. */
export async function endWithUs(pid: number, dataDir: string): Promise<() => void> {
  const watcher = spawn('/bin/sh', ['-c', script, 'sh', String(pid), await realpath(dataDir)], {
    cwd: '/',
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  })
  // Without it the server would only outlive us; the end of our process is no time for another error.
  watcher.on('error', () => {})
  watcher.stdin.on('error', () => {})
  watcher.unref()
  if ('unref' in watcher.stdin && typeof watcher.stdin.unref === 'function') watcher.stdin.unref()
  return () => void watcher.kill('SIGKILL')
}
