import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { createConnection, type RowDataPacket } from 'mysql2/promise'
import { serverAccount } from '../../src/postgres/index.ts'
import { runProcess } from '../../src/kernel/index.ts'
import { accountFolder } from './account-folder.ts'
import { freePort } from './free-port.ts'

export interface MariaDb extends AsyncDisposable {
  /** As root of the database, who has SUPER. */
  readonly url: string
  readonly port: number
  sql(command: string): Promise<RowDataPacket[]>
}

/** A MariaDB on the loopback, as an unprivileged user, in a folder that is removed at the end. */
export async function startMariaDb(mariadbd: string, options: readonly string[] = []): Promise<MariaDb> {
  await using cleanUp = new AsyncDisposableStack()
  const folder = await accountFolder('holdfast-mariadb-')
  cleanUp.defer(async () => await rm(folder, { recursive: true, force: true }))
  const { uid, gid } = await serverAccount()
  const identity = process.geteuid?.() === 0 ? { uid, gid } : {}
  const data = `--datadir=${join(folder, 'data')}`
  const made = await runProcess(
    'mariadb-install-db',
    ['--no-defaults', data, '--auth-root-authentication-method=normal', '--skip-test-db'],
    { ...identity, cwd: folder },
  )
  if (made.exitCode !== 0) throw new Error(made.stderr)
  const port = await freePort()
  const args = [
    '--no-defaults',
    data,
    '--bind-address=127.0.0.1',
    `--port=${port}`,
    `--socket=${join(folder, 'socket')}`,
    '--innodb-flush-log-at-trx-commit=0',
    ...options,
  ]
  const child = spawn(mariadbd, args, { ...identity, cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] })
  const ended = once(child, 'exit')
  cleanUp.defer(async () => {
    child.kill('SIGKILL')
    await ended
  })
  let said = ''
  const ready = Promise.withResolvers<void>()
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text
    if (said.includes('ready for connections')) ready.resolve()
  })
  child.once('exit', (code) => ready.reject(new Error(`mariadbd ended with ${code}: ${said}`)))
  await ready.promise
  const url = `mysql://root@127.0.0.1:${port}/`
  const owned = cleanUp.move()
  return {
    url,
    port,
    async sql(command) {
      const connection = await createConnection(url)
      try {
        const [rows] = await connection.query<RowDataPacket[]>(command)
        return rows
      } finally {
        await connection.end()
      }
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}
