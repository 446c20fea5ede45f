import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { readFile } from 'node:fs/promises'
import { runProcess, systemCode } from '../../src/kernel/index.ts'
import { serverAccount, type ServerAccount } from '../../src/postgres/index.ts'
import { ended, makeMember, spawnIn, type Member, type MemberParts } from '../../test/split-brain/member.ts'
import { layNetwork, type Network } from '../../test/split-brain/network.ts'
import type { Client } from '../../test/split-brain/writer.ts'
import { worldPrefix } from '../../test/split-brain/stale.ts'
import { accountFolder } from '../../test/support/account-folder.ts'
import { until } from '../../test/support/until.ts'

/** The two servers’ machines, a third where what decides lives, and the clients. */
export type Place = 'primary' | 'west' | 'third' | 'clients'

const cables = [
  ['primary', 'west'],
  ['primary', 'third'],
  ['primary', 'clients'],
  ['west', 'third'],
  ['west', 'clients'],
  ['third', 'clients'],
] as const

/** Two PostgreSQL servers that nobody has started yet, on machines of their own as far as the network goes. */
export interface Cluster extends AsyncDisposable {
  readonly folder: string
  readonly network: Network<Place>
  readonly account: ServerAccount
  readonly parts: MemberParts
  readonly primary: Member
  readonly west: Member
  /** A process at a place; ended when the cluster is disposed, with all others there. */
  spawn(place: Place, command: readonly string[], env?: NodeJS.ProcessEnv): void
  /** When a client was first told by west that it has written, in ms since 1970; undefined before that. */
  firstWrite(): Promise<number | undefined>
  /** The machine of the primary is gone: every process on it at once, or every cable. When that was, in ms since 1970. */
  fail(how: Failure): Promise<number>
}

export type Failure = 'killed' | 'cut off'

const writer = new URL('../../test/split-brain/writer.ts', import.meta.url).pathname

export async function createCluster(template: string, settings: string): Promise<Cluster> {
  await using cleanUp = new AsyncDisposableStack()
  const folder = await accountFolder(`${worldPrefix}${process.pid}-`)
  cleanUp.defer(async () => await rm(folder, { recursive: true, force: true, maxRetries: 5 }))
  const network: Network<Place> = cleanUp.use(await layNetwork(cables))
  const account = await serverAccount()
  const parts: MemberParts = { folder, template, network, account, settings }
  const [primary, west] = [await makeMember('primary', parts), await makeMember('west', parts)]
  const end = async (place: Place) => {
    const isEmpty = async () => {
      const pids = await processesAt(network, place)
      for (const pid of pids) kill(pid)
      return pids.length === 0
    }
    await until(`until nothing runs at ${place}`, isEmpty, (is) => is)
  }
  cleanUp.defer(async () => {
    for (const place of ['third', 'clients', 'west', 'primary'] as const) await end(place)
  })
  const owned = cleanUp.move()
  return {
    folder,
    network,
    account,
    parts,
    primary,
    west,
    spawn(place, command, env = {}) {
      const variables = Object.entries(env).map(([name, value]) => `${name}=${value}`)
      const child = spawnIn(network.inside(place, ['env', ...variables, ...command]))
      owned.defer(() => ended(child))
    },
    async firstWrite() {
      const text = await readFile(join(folder, 'west.ndjson'), 'utf8').catch(() => '')
      const [line, ...rest] = text.split('\n')
      return rest.length === 0 ? undefined : (JSON.parse(line ?? '') as { atMs: number }).atMs
    },
    async fail(how) {
      const atMs = Date.now()
      if (how === 'killed') for (const pid of await processesAt(network, 'primary')) kill(pid)
      else for (const other of ['west', 'third', 'clients'] as const) await network.cut('primary', other)
      return atMs
    },
    [Symbol.asyncDispose]: async () => await owned.disposeAsync(),
  }
}

/** A client at each server that writes all the time: those at west wait until it takes writes. */
export function startClients(cluster: Cluster): void {
  const { network, folder } = cluster
  const clients = (['primary', 'west'] as const).map((name): Client => ({
    name,
    url: `postgres://postgres@${network.address(name)}:5432/shop`,
    file: join(folder, `${name}.ndjson`),
  }))
  cluster.spawn('clients', [process.execPath, writer, ...clients.map((client) => JSON.stringify(client))])
}

async function processesAt(network: Network<Place>, place: Place): Promise<number[]> {
  const { stdout } = await runProcess('ip', ['netns', 'pids', network.namespace(place)])
  return stdout
    .split('\n')
    .filter((text) => text !== '')
    .map(Number)
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch (error) {
    if (systemCode(error) !== 'ESRCH') throw error
  }
}
