import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { describe } from 'vitest'
import {
  createServer,
  openSql,
  requirePostgres,
  type InitializeOptions,
  type PostgresServer,
  type Row,
  type ServerOptions,
} from '../../src/postgres/index.ts'
import { accountFolder } from './account-folder.ts'
import { describeWith } from './peers.ts'

export interface TestPostgres extends AsyncDisposable {
  readonly server: PostgresServer
  readonly url: string
  readonly dataDir: string
  /** A folder of the server's own user, removed at the end: for tablespaces, restores and other servers. */
  readonly folder: string
  sql(command: string, values?: readonly (string | number | bigint | boolean | null)[]): Promise<Row[]>
}

export interface TestPostgresOptions extends Pick<InitializeOptions, 'settings' | 'dataChecksums' | 'password'> {
  readonly version: 15 | 18
  readonly listen?: ServerOptions['listen']
}

/** A new PostgreSQL that runs in a temporary folder: stopped and removed when disposed, with whatever else is in the folder. */
export async function startPostgres(options: TestPostgresOptions): Promise<TestPostgres> {
  await using cleanUp = new AsyncDisposableStack()
  const folder = await accountFolder('holdfast-test-pg-')
  cleanUp.defer(async () => await rm(folder, { recursive: true, force: true }))
  const dataDir = join(folder, 'data')
  const server = await createServer({
    dataDir,
    installation: requirePostgres(options.version),
    ...(options.listen === undefined ? {} : { listen: options.listen }),
  })
  await server.initialize({
    settings: options.settings ?? {},
    durable: false,
    ...(options.dataChecksums === undefined ? {} : { dataChecksums: options.dataChecksums }),
    ...(options.password === undefined ? {} : { password: options.password }),
  })
  await server.start()
  cleanUp.defer(async () => await server.stop('immediate'))
  const owned = cleanUp.move()
  return {
    server,
    get url() {
      return server.url
    },
    dataDir,
    folder,
    async sql(command, values) {
      await using connection = await openSql(server.url)
      return await connection.query(command, values)
    },
    async [Symbol.asyncDispose]() {
      await owned.disposeAsync()
    },
  }
}

/** The same suite on the oldest and the newest PostgreSQL that the tests have: the system's 15 and npm's 18. */
export function describePostgres(title: string, suite: (version: 15 | 18) => void): void {
  describeWith('postgresql-15', `${title} (PostgreSQL 15)`, () => suite(15))
  describe(`${title} (PostgreSQL 18)`, () => {
    suite(18)
  })
}
