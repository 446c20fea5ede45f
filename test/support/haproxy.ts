import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { freePort } from './free-port.ts'

export interface Haproxy extends AsyncDisposable {
  /** The runtime API, of level admin. */
  readonly socket: string
  /** The same over TCP, as HOST:PORT: of level admin, and of level user. */
  readonly admin: string
  readonly user: string
  /** Where the traffic goes in. */
  readonly url: string
}

/** A real HAProxy on the loopback with one frontend before the backend `app`, whose servers are given as lines of its configuration. */
export async function startHaproxy(program: string, folder: string, servers: readonly string[]): Promise<Haproxy> {
  const [port, adminPort, userPort] = [await freePort(), await freePort(), await freePort()]
  const socket = join(folder, 'admin.sock')
  const config = `global
  stats socket ${socket} mode 600 level admin
  stats socket ipv4@127.0.0.1:${adminPort} level admin
  stats socket ipv4@127.0.0.1:${userPort} level user
defaults
  mode http
  timeout connect 2s
  timeout client 60s
  timeout server 60s
frontend entry
  bind 127.0.0.1:${port}
  default_backend app
backend app
${servers.map((server) => `  server ${server}`).join('\n')}
`
  await writeFile(join(folder, 'haproxy.cfg'), config)
  const child = spawn(program, ['-db', '-q', '-f', join(folder, 'haproxy.cfg')], { stdio: 'ignore' })
  const ended = once(child, 'exit')
  // It has its ports a moment before its socket has its name.
  while (!(await accepts(adminPort)) || !(await accepts(socket))) {
    if (child.exitCode !== null) throw new Error(`haproxy ended with exit code ${child.exitCode}`)
    await delay(20)
  }
  return {
    socket,
    admin: `127.0.0.1:${adminPort}`,
    user: `127.0.0.1:${userPort}`,
    url: `http://127.0.0.1:${port}/`,
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL')
      await ended
    },
  }
}

/** A port of this machine, or the path of a socket. */
async function accepts(at: number | string): Promise<boolean> {
  const socket = typeof at === 'number' ? connect(at, '127.0.0.1') : connect(at)
  try {
    await once(socket, 'connect')
    return true
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}
