import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { runProcess } from '../../src/kernel/index.ts'
import { freePort } from './free-port.ts'

export interface SshServer extends AsyncDisposable {
  readonly folder: string
  readonly port: number
  /** What a step needs to log in as the user of the tests. */
  readonly target: { host: string; port: number; user: string; identityFile: string; knownHosts: string }
  stop(): Promise<void>
  start(): Promise<void>
}

/** A real sshd on a port of the loopback, with host keys, known hosts and authorized keys of its own. */
export async function startSshd(program: string): Promise<SshServer> {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-sshd-'))
  const port = await freePort()
  for (const name of ['host', 'user', 'stranger']) {
    await runProcess('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', name, '-f', join(folder, name)])
  }
  const hostKey = (await readFile(join(folder, 'host.pub'), 'utf8')).trim()
  await writeFile(join(folder, 'known_hosts'), `[127.0.0.1]:${port} ${hostKey}\n`)
  await writeFile(join(folder, 'authorized_keys'), await readFile(join(folder, 'user.pub')))
  // As root sshd separates privileges, with a folder that its service would have made.
  const isRoot = process.geteuid?.() === 0
  const makesRunFolder = isRoot && !existsSync('/run/sshd')
  if (makesRunFolder) await mkdir('/run/sshd', { mode: 0o755 })
  const config = `ListenAddress 127.0.0.1:${port}
HostKey ${folder}/host
AuthorizedKeysFile ${folder}/authorized_keys
PidFile none
StrictModes no
UsePAM ${isRoot ? 'yes' : 'no'}
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
PrintMotd no
`
  await writeFile(join(folder, 'sshd_config'), config)
  let child: ChildProcess | undefined
  const server: SshServer = {
    folder,
    port,
    target: {
      host: '127.0.0.1',
      port,
      user: userInfo().username,
      identityFile: join(folder, 'user'),
      knownHosts: join(folder, 'known_hosts'),
    },
    async start() {
      child = spawn(program, ['-D', '-e', '-f', join(folder, 'sshd_config')], { stdio: ['ignore', 'ignore', 'pipe'] })
      let log = ''
      child.stderr?.setEncoding('utf8').on('data', (text: string) => {
        log = (log + text).slice(-10_000)
      })
      while (!log.includes('Server listening on')) {
        if (child.exitCode !== null) throw new Error(`sshd ended with exit code ${child.exitCode}: ${log}`)
        await delay(20)
      }
    },
    async stop() {
      if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
      child.kill('SIGTERM')
      await once(child, 'exit')
    },
    async [Symbol.asyncDispose]() {
      await server.stop()
      if (makesRunFolder) await rm('/run/sshd', { recursive: true })
      await rm(folder, { recursive: true, force: true })
    },
  }
  await server.start()
  return server
}
