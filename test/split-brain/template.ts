import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { createServer, requirePostgres } from '../../src/postgres/index.ts'
import { accountFolder } from '../support/account-folder.ts'

/** A data directory that no server was ever started on, to make worlds of. */
export async function worldTemplate(): Promise<AsyncDisposable & { readonly dataDir: string }> {
  const folder = await accountFolder('holdfast-initdb-')
  const dataDir = join(folder, 'data')
  const server = await createServer({ dataDir, installation: requirePostgres(15) })
  await server.initialize({ durable: false })
  return { dataDir, [Symbol.asyncDispose]: () => rm(folder, { recursive: true }) }
}
