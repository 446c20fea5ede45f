import { readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { serverAccount } from '../../src/postgres/index.ts'
import { accountFolder } from '../support/account-folder.ts'
import { until } from '../support/until.ts'
import { catalogText, type CatalogChoices } from './catalog.ts'
import { caughtUp, ended, makeMember, makeStandby, spawnIn, type Member, type MemberParts } from './member.ts'
import { record, startNames, type Names } from './names.ts'
import { layWorld, type Place, type WorldNetwork } from './places.ts'
import { startProxy } from './proxy.ts'
import { worldPrefix } from './stale.ts'
import type { Client } from './writer.ts'

/** A row that a server acknowledged, when it began to write it, and when the client was told that it is committed, by the machine's clock. */
export interface Acknowledged {
  readonly id: string
  readonly by: Member['name']
  readonly atMs: number
  readonly toldMs: number
}

export interface World extends AsyncDisposable {
  readonly folder: string
  readonly network: WorldNetwork
  readonly primary: Member
  readonly west: Member
  readonly names: Names
  /** The catalog of it all, written anew. */
  writeCatalog(choices: CatalogChoices): Promise<string>
  /** The program, at a place, with the name of the machine that it is said to be on; ended when the world is disposed. */
  holdfast(place: Place, args: readonly string[]): HoldfastProcess
  /** What a server acknowledged so far to any client, by whichever way that came. */
  acknowledged(by: Member['name']): Promise<readonly Acknowledged[]>
}

export interface HoldfastProcess {
  readonly closed: Promise<number>
  ended(): boolean
  output(): string
  kill(): void
}

const program = new URL('../../bin/holdfast.js', import.meta.url).pathname
const writer = new URL('writer.ts', import.meta.url).pathname

/**
 * A primary and the standby `west` that streams from it, HAProxy before both, a name that leads to the primary, and clients that write all the time: one at each server, one
 * through HAProxy, one that goes by the name. Each on a machine of its own as far as the network goes. Everything is ended and removed when it is disposed.
 */
export async function createWorld(template: string): Promise<World> {
  await using cleanUp = new AsyncDisposableStack()
  const folder = await accountFolder(`${worldPrefix}${process.pid}-`)
  cleanUp.defer(async () => await rm(folder, { recursive: true, force: true, maxRetries: 5 }))
  const network: WorldNetwork = cleanUp.use(await layWorld())
  const parts: MemberParts = { folder, template, network, account: await serverAccount() }
  const [primary, west] = [await makeMember('primary', parts), await makeMember('west', parts)]
  for (const one of [primary, west]) cleanUp.defer(async () => await one.kill())
  const hosts = {
    primary: network.address('primary'),
    west: network.address('west'),
    proxy: network.address('proxy'),
    name: record,
  }
  const clients = Object.entries(hosts).map(([name, host]): Client => ({
    name,
    url: `postgres://postgres@${host}:5432/shop`,
    file: join(folder, `${name}.ndjson`),
    ...(name === 'name' ? { nameServer: network.address('names') } : {}),
  }))
  // They try until there is something to write to.
  const writing = spawnIn(
    network.inside('clients', [process.execPath, writer, ...clients.map((client) => JSON.stringify(client))]),
  )
  cleanUp.defer(() => ended(writing))
  const proxy = await startProxy(folder, network)
  cleanUp.defer(() => ended(proxy))
  const naming = startNames(folder, network)
  await primary.start()
  await primary.sql(`select pg_create_physical_replication_slot('west', true)`)
  await makeStandby(west, parts)
  await west.start()
  await primary.sql('create database shop')
  await primary.sql('create table rows (id text primary key, at timestamptz not null default clock_timestamp())', 'shop')
  await caughtUp(primary, west)
  const names = cleanUp.use(await naming)
  const rowsOf = async (name: string): Promise<Acknowledged[]> => {
    const text = await readFile(join(folder, `${name}.ndjson`), 'utf8').catch(() => '')
    const lines = text.split('\n').slice(0, -1)
    return lines.map((line) => JSON.parse(line) as Acknowledged)
  }
  const fewest = async () => Math.min(...(await Promise.all(['primary', 'proxy', 'name'].map(rowsOf))).map((rows) => rows.length))
  await until('until every client writes', fewest, (count) => count > 5)
  const owned = cleanUp.move()
  const catalog = join(folder, 'holdfast.yaml')
  return {
    folder,
    network,
    primary,
    west,
    names,
    async writeCatalog(choices) {
      await writeFile(catalog, catalogText({ network, primary, west, names }, choices))
      return catalog
    },
    holdfast(place, args) {
      const command = [process.execPath, program, '--catalog', catalog, ...args]
      const named = ['unshare', '--uts', 'sh', '-c', 'hostname "$0" && exec "$@"', `${place}.example`, ...command]
      const started = follow(network.inside(place, named))
      owned.defer(async () => {
        started.kill()
        await started.closed
      })
      return started
    },
    async acknowledged(by) {
      const all = await Promise.all(Object.keys(hosts).map(rowsOf))
      return all.flat().filter((row) => row.by === by)
    },
    [Symbol.asyncDispose]: async () => await owned.disposeAsync(),
  }
}

function follow(command: readonly [string, ...string[]]): HoldfastProcess {
  const child = spawnIn(command, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, NO_COLOR: '1', OBSERVER_TOKEN: 'world' },
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream?.setEncoding('utf8').on('data', (text: string) => (output += text))
  let hasEnded = false
  const closed = new Promise<number>((resolve) => child.once('close', (code) => resolve(code ?? -1)))
  void closed.then(() => (hasEnded = true))
  return { closed, ended: () => hasEnded, output: () => output, kill: () => void child.kill('SIGKILL') }
}
