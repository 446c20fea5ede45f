import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { chown, copyFile, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runProcess } from '../../src/kernel/index.ts'
import { freePort } from './free-port.ts'

export interface NameServer extends AsyncDisposable {
  readonly port: number
  readonly folder: string
  /** `127.0.0.1:PORT` */
  readonly address: string
  stop(): Promise<void>
  start(): Promise<void>
  /** Reads other statements: a zone that can be updated keeps what it has. */
  reload(named: string): Promise<void>
  /** The values of a record, as dig shows them, with the TTL before each. */
  dig(name: string, type: string): Promise<string[]>
}

/** What a configuration may need to name: the folder that the server may write into. */
export type NameServerConfig = (folder: string) => { readonly named: string; readonly files?: Readonly<Record<string, string>> }

/** Another machine than this one, as far as the network goes: there it has the usual port. */
export interface NameServerPlace {
  readonly address: string
  inside(command: readonly string[]): [string, ...string[]]
}

/** A real BIND on a port of the loopback, or at another place, which asks nobody but whom its configuration names. */
export async function startNameServer(named: string, config: NameServerConfig, place?: NameServerPlace): Promise<NameServer> {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-bind-'))
  const isRoot = process.geteuid?.() === 0
  // Debian's AppArmor profile confines it by its path, to folders of the system.
  const program = join(folder, 'named')
  await copyFile(named, program)
  const { named: statements, files = {} } = config(folder)
  const port = place === undefined ? await freePort() : 53
  const address = place?.address ?? '127.0.0.1'
  const inside = (command: readonly [string, ...string[]]) => place?.inside(command) ?? command
  const options = `directory "${folder}"; pid-file "${folder}/named.pid"; session-keyfile "${folder}/session.key"; managed-keys-directory "${folder}";
    listen-on port ${port} { ${address}; }; listen-on-v6 { none; }; allow-query { any; }; notify no; dnssec-validation no;`
  const write = async (text: string) =>
    await writeFile(join(folder, 'named.conf'), `controls { };\n${text.replace('options {', `options { ${options}`)}\n`)
  await write(statements)
  for (const [name, content] of Object.entries(files)) await writeFile(join(folder, name), content)
  if (isRoot) await giveTo('bind', folder, Object.keys(files))
  let child: ChildProcess | undefined
  const server: NameServer = {
    port,
    folder,
    address: `${address}:${port}`,
    async start() {
      const args = ['-g', '-c', join(folder, 'named.conf'), '-n', '1', ...(isRoot ? ['-u', 'bind'] : [])]
      const [command, ...rest] = inside([program, ...args])
      child = spawn(command, rest, { stdio: ['ignore', 'ignore', 'pipe'] })
      await logged(child, /\brunning$/m)
    },
    async stop() {
      if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
      child.kill('SIGTERM')
      await once(child, 'exit')
    },
    async reload(text) {
      await write(text)
      const reloaded = logged(child, /all zones loaded|reloading configuration (?:failed|succeeded)/)
      child?.kill('SIGHUP')
      await reloaded
    },
    async dig(name, type) {
      const dig = ['dig', `@${address}`, '-p', String(port), '+tcp', '+noall', '+answer', '+norecurse', name, type] as const
      const [command, ...args] = inside(dig)
      const { stdout } = await runProcess(command, args)
      const lines = stdout.split('\n').filter((line) => line !== '' && !line.startsWith(';'))
      return lines.map((line) => line.split(/\s+/)).map(([, ttl, , , ...value]) => `${ttl} ${value.join(' ')}`)
    },
    async [Symbol.asyncDispose]() {
      await server.stop()
      await rm(folder, { recursive: true, force: true })
    },
  }
  await server.start()
  return server
}

/** Until it says so. */
async function logged(child: ChildProcess | undefined, pattern: RegExp): Promise<void> {
  let log = ''
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const onText = (text: string) => {
    log = (log + text).slice(-20_000)
    if (pattern.test(log)) resolve()
  }
  const onExit = () => reject(new Error(`named ended: ${log}`))
  child?.stderr?.setEncoding('utf8').on('data', onText)
  child?.once('exit', onExit)
  await promise
  child?.off('exit', onExit)
}

async function giveTo(user: string, folder: string, files: readonly string[]): Promise<void> {
  const [uid, gid] = await Promise.all(['-u', '-g'].map(async (flag) => Number((await runProcess('id', [flag, user])).stdout)))
  for (const path of [folder, ...files.map((name) => join(folder, name))]) await chown(path, uid ?? 0, gid ?? 0)
}
