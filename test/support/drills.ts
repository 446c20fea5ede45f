import { chmod, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { stringify } from 'yaml'
import { serverProcesses } from '../../src/postgres/index.ts'
import { createCatalogRepository, loadRunCatalog, protectService } from '../../src/service/index.ts'
import { holdfast, type HoldfastResult } from './holdfast.ts'
import { startPostgres, type TestPostgres } from './postgres.ts'
import { receiveWhile } from './receive-while.ts'

const signal = new AbortController().signal

/** A production: a database and a folder of files, both backed up, the newest rows in the WAL alone. */
export interface Production extends AsyncDisposable {
  readonly pg: TestPostgres
  readonly at: (name: string) => string
  /** A catalog in a folder of its own, so that its runs are its own, over the one repository. */
  site(name: string, parts?: SiteParts): Promise<Site>
  /** What a drill must leave as it is. */
  look(): Promise<object>
}

export interface SiteParts {
  readonly steps?: readonly object[]
  readonly drill?: object
  readonly objectives?: { readonly rpo: string; readonly rto: string }
}

export interface Site {
  readonly folder: string
  readonly catalog: string
  readonly state: string
  /** Where the plan would restore to, were it run for real. */
  readonly target: string
  run(...args: string[]): Promise<HoldfastResult>
  declare(parts: SiteParts): Promise<void>
  /** The sandboxes that are there, and the servers on them. */
  left(): Promise<{ sandboxes: string[]; servers: number[] }>
}

export const rows = 300

export async function startProduction(): Promise<Production> {
  const pg = await startPostgres({ version: 15, settings: { wal_level: 'replica' } })
  const at = (name: string) => join(pg.folder, name)
  await chmod(pg.folder, 0o755)
  await mkdir(at('receipts'))
  await writeFile(at('receipts/1.txt'), 'paid\n'.repeat(500))
  await writeFile(at('password'), 'correct horse\n')
  const socket = new URL(pg.url).searchParams.get('host') ?? ''
  const site = (name: string, parts: SiteParts = {}) => siteOf(pg, join(pg.folder, name), parts)
  const first = await loadRunCatalog((await site('first')).catalog)
  await (await createCatalogRepository(first, 'local'))[Symbol.asyncDispose]()
  await pg.sql("create table orders as select id, repeat('x', 500) as filler from generate_series(1, 100) id")
  for (const service of ['orders', 'receipts']) await protectService({ catalog: first, service }, () => {}, signal)
  await receiveWhile(first.file, pg, "insert into orders select id, repeat('y', 500) from generate_series(101, 300) id")
  return {
    pg,
    at,
    site,
    async look() {
      const [row] = await pg.sql(`select (select count(*) from orders) as rows, pg_postmaster_start_time()::text as started,
        (select timeline_id from pg_control_checkpoint()) as timeline, current_setting('archive_mode') as archiving`)
      const { ino } = await stat(join(socket, `.s.PGSQL.${new URL(pg.url).searchParams.get('port') ?? '5432'}`))
      const version = await stat(join(pg.dataDir, 'PG_VERSION'))
      const receipt = await stat(at('receipts/1.txt'))
      return {
        ...row,
        socket: ino,
        version: version.mtimeMs,
        receipt: receipt.mtimeMs,
        text: await readFile(at('receipts/1.txt'), 'utf8'),
      }
    },
    [Symbol.asyncDispose]: () => pg[Symbol.asyncDispose](),
  }
}

async function siteOf(pg: TestPostgres, folder: string, parts: SiteParts): Promise<Site> {
  await mkdir(folder, { recursive: true })
  await chmod(folder, 0o755)
  const catalog = join(folder, 'holdfast.yaml')
  const target = join(folder, 'recovered')
  const state = join(folder, '.holdfast')
  const declare = (changed: SiteParts) =>
    writeFile(catalog, stringify(catalogOf(pg, target, changed), { aliasDuplicateObjects: false }))
  await declare(parts)
  return {
    folder,
    catalog,
    target,
    state,
    declare,
    run: (...args) => holdfast(['--catalog', catalog, ...args]),
    async left() {
      const files: string[] = await readdir(join(state, 'runs'), { recursive: true }).catch(() => [])
      const sandboxes = files.filter((path) => path.endsWith('/sandbox'))
      const servers = await Promise.all(
        files.filter((path) => path.endsWith('/postmaster.pid')).map((path) => serverProcesses(join(state, 'runs', path, '..'))),
      )
      return { sandboxes, servers: servers.flat() }
    },
  }
}

function catalogOf(pg: TestPostgres, target: string, { steps, drill, objectives = { rpo: '1h', rto: '1h' } }: SiteParts): object {
  const url = new URL(pg.url)
  const common = { owner: 'Shop Team', site: 'here', objectives, backup: { to: 'local' }, recovery: 'back' }
  return {
    version: 1,
    name: 'shop',
    sites: { here: {}, away: {} },
    repositories: {
      local: { url: join(pg.folder, 'repository'), site: 'away', media: 'disk', password: { file: join(pg.folder, 'password') } },
    },
    services: {
      orders: {
        ...common,
        data: {
          postgres: {
            url: pg.url,
            wal: 'stream',
            dataDirectory: pg.dataDir,
            // What a recovered server takes over from the real one, and one of a drill must not.
            socketDirectory: url.searchParams.get('host') ?? '',
            port: Number(url.searchParams.get('port') ?? '5432'),
          },
        },
      },
      receipts: { ...common, data: { files: { paths: [join(pg.folder, 'receipts')] } } },
    },
    plans: {
      back: {
        recovers: ['orders', 'receipts'],
        steps: steps ?? recoverySteps(target),
        ...(drill === undefined ? {} : { drill }),
      },
    },
  }
}

/** Restores both, starts, looks, promotes, writes, looks again; each check takes a moment. */
export function recoverySteps(target: string): object[] {
  const dataDirectory = '${steps.restore.dataDirectory}'
  const url = '${steps.start.url}'
  return [
    { id: 'restore', do: { 'postgres.restore': { service: 'orders', target } }, timeout: '2m' },
    {
      id: 'files',
      do: { 'files.restore': { service: 'receipts', target: `${target}-files` } },
      check: { shell: { run: `test -s '${target}-files/1.txt'`, effect: 'read-only' } },
    },
    { id: 'start', do: { 'postgres.start': { dataDirectory } }, after: ['restore'], timeout: '2m' },
    {
      id: 'look',
      do: { 'sql.check': { url, sql: 'select count(*) from orders, pg_sleep(0.5)', equals: rows } },
      after: ['start'],
    },
    { id: 'promote', do: { 'postgres.promote': { dataDirectory } }, after: ['look', 'files'], timeout: '2m' },
    { id: 'write', do: { 'sql.execute': { url, sql: 'create table written (id int)' } }, after: ['promote'] },
    {
      id: 'verify',
      do: {
        'sql.check': { url, sql: 'select not pg_is_in_recovery() from written right join pg_sleep(0.5) on true', equals: true },
      },
      after: ['write'],
    },
  ]
}
