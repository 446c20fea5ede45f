import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { rm } from 'node:fs/promises'
import { serverAccount } from '../../src/postgres/index.ts'
import { accountFolder } from './account-folder.ts'
import { freePort } from './free-port.ts'

export interface RedisServer extends AsyncDisposable {
  readonly url: string
  readonly port: number
}

/** A Redis on the loopback that keeps nothing, as an unprivileged user. */
export async function startRedis(redisServer: string, options: readonly string[] = []): Promise<RedisServer> {
  await using cleanUp = new AsyncDisposableStack()
  const folder = await accountFolder('holdfast-redis-')
  cleanUp.defer(async () => await rm(folder, { recursive: true, force: true }))
  const { uid, gid } = await serverAccount()
  const port = await freePort()
  const args = ['--bind', '127.0.0.1', '--port', String(port), '--save', '', '--dir', folder, ...options]
  const identity = process.geteuid?.() === 0 ? { uid, gid } : {}
  const child = spawn(redisServer, args, { ...identity, cwd: folder, stdio: ['ignore', 'pipe', 'ignore'] })
  const ended = once(child, 'exit')
  cleanUp.defer(async () => {
    child.kill('SIGKILL')
    await ended
  })
  let said = ''
  const ready = Promise.withResolvers<void>()
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    said += text
    if (said.includes('Ready to accept connections')) ready.resolve()
  })
  child.once('exit', (code) => ready.reject(new Error(`redis-server ended with ${code}: ${said}`)))
  await ready.promise
  const owned = cleanUp.move()
  return { url: `redis://127.0.0.1:${port}`, port, [Symbol.asyncDispose]: () => owned.disposeAsync() }
}
