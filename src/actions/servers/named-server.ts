import { realpathSync } from 'node:fs'
import { hostname } from 'node:os'
import { serviceName, text, type Catalog, type PostgresPlace, type SecretRef } from '../../catalog/index.ts'
import { HoldfastError } from '../../kernel/index.ts'
import { createServer, leadsHere, urlUser, type PostgresServer } from '../../postgres/index.ts'
import type { ActionContext } from '../contract.ts'
import { installationFor, serverOn } from '../restored/server-of.ts'

/** The parameters by which a step names a server of the catalog. */
export const namedServerParams = {
  server: text.describe('A server by its name in the catalog: `primary`, the one of the service’s URL, or a standby.').optional(),
  service: serviceName.describe('The service that the server is of. Default: the only one that has such a server.').optional(),
} as const

export interface ServerName {
  readonly server: string
  readonly service?: string | undefined
}

/** A server as the catalog declares it. */
export interface DeclaredServer {
  readonly name: string
  readonly service: string
  readonly site: string
  readonly place: PostgresPlace
}

/** A server with its secrets resolved. `dataDirectory` is absent unless the server is on this machine. */
export interface NamedServer extends DeclaredServer {
  readonly url: string
  readonly replicationUrl: string
  readonly isHere: boolean
  readonly dataDirectory: string | undefined
}

/** `west of orders-db` */
export function describeServer({ name, service }: Pick<DeclaredServer, 'name' | 'service'>): string {
  return `${name} of ${service}`
}

/** Every server of a service: `primary` first. Empty for a service without PostgreSQL. */
export function serversOf(catalog: Catalog, service: string): DeclaredServer[] {
  const entry = catalog.services[service]
  const postgres = entry?.data.postgres
  if (entry === undefined || postgres === undefined) return []
  return [
    { name: 'primary', service, site: entry.site, place: postgres },
    ...Object.values(postgres.standbys).map((place) => ({ name: place.name, service, site: place.site, place })),
  ]
}

/** Throws `usage` unless exactly one server of the catalog has the name. */
export function findServer(catalog: Catalog, { server, service }: ServerName): DeclaredServer {
  const all = Object.keys(catalog.services)
    .filter((name) => service === undefined || name === service)
    .flatMap((name) => serversOf(catalog, name))
  const found = all.filter(({ name }) => name === server)
  if (found.length === 1 && found[0] !== undefined) return found[0]
  const where = service === undefined ? '' : ` of ${service}`
  throw new HoldfastError('usage', {
    message:
      found.length === 0
        ? `the catalog declares no server '${server}'${where}`
        : `several services have a server '${server}': ${found.map((one) => one.service).join(', ')}`,
    hint:
      found.length === 0
        ? `declare it under data.postgres.standbys; there are: ${all.map(describeServer).join(', ') || 'none'}`
        : 'name the service too: service: NAME',
  })
}

export async function resolveServer(
  context: Pick<ActionContext, 'catalog' | 'resolveSecret'>,
  name: ServerName,
  signal: AbortSignal,
): Promise<NamedServer> {
  const declared = findServer(context.catalog, name)
  const { place } = declared
  const reveal = async (url: string | SecretRef) =>
    typeof url === 'string' ? url : (await context.resolveSecret(url, signal)).reveal()
  const url = await reveal(place.url)
  const twin = twinOf(context.catalog, declared)
  const isHere = place.host === undefined ? leadsHere(url) : [hostname(), hostname().split('.')[0]].includes(place.host)
  if (isHere && twin !== undefined) {
    throw new HoldfastError('usage', {
      message: `${describeServer(declared)} and ${twin.name} have the same dataDirectory, and it is not said on which machines`,
      hint: 'give both a `host`: the name of the machine that the data directory is on',
    })
  }
  return {
    ...declared,
    url,
    replicationUrl: place.replicationUrl === undefined ? url : await reveal(place.replicationUrl),
    isHere,
    dataDirectory: isHere ? place.dataDirectory : undefined,
  }
}

/** Another server whose data may lie at the same path of this machine: through a tunnel, a URL leads to the loopback and the server elsewhere. */
function twinOf(catalog: Catalog, { name, service, place }: DeclaredServer): DeclaredServer | undefined {
  if (place.dataDirectory === undefined) return undefined
  return serversOf(catalog, service).find(
    (other) =>
      other.name !== name &&
      other.place.dataDirectory === place.dataDirectory &&
      (other.place.host === undefined || place.host === undefined),
  )
}

/** Throws `usage` where the server's data directory is not known, or on another machine. */
export function requireLocal(server: NamedServer): string {
  if (server.dataDirectory !== undefined) return server.dataDirectory
  const { dataDirectory, host } = server.place
  throw new HoldfastError('usage', {
    message:
      dataDirectory === undefined
        ? `the catalog does not say where ${describeServer(server)} keeps its data`
        : `${describeServer(server)} keeps its data on ${host ?? 'another machine'}, and this is ${hostname()}`,
    hint:
      dataDirectory === undefined
        ? 'give it a dataDirectory'
        : 'run this on its machine; `host` says which that is when its URL leads elsewhere',
  })
}

/** The server on this machine, as its own configuration says, and the settings on top. Throws `usage` when it is not here. */
export async function localServer(server: NamedServer, settings: PostgresPlace['settings'] = {}): Promise<PostgresServer> {
  const dataDir = requireLocal(server)
  const { place } = server
  return await createServer({
    dataDir,
    installation: installationFor(dataDir, place.binDirectory),
    listen: 'configured',
    user: urlUser(server.url) ?? 'postgres',
    settings: { ...place.settings, ...settings },
    ...(place.runAs === undefined ? {} : { account: place.runAs }),
  })
}

/** Whether two paths lead to one folder. */
export function isSameFolder(one: string, other: string): boolean {
  try {
    return realpathSync(one) === realpathSync(other)
  } catch {
    return one === other
  }
}

/** A server on this machine as a step names it: by its data directory, or by its name in the catalog. */
export interface ServerHere {
  readonly server?: string | undefined
  readonly service?: string | undefined
  readonly dataDirectory?: string | undefined
  readonly user?: string | undefined
}

export async function serverHere(
  { dataDirectory, server, service, user }: ServerHere,
  context: Pick<ActionContext, 'catalog' | 'resolveSecret'>,
  signal: AbortSignal,
): Promise<PostgresServer> {
  if (dataDirectory !== undefined) return await serverOn({ dataDirectory, user }, context)
  return await localServer(await resolveServer(context, { server: server ?? '', service }, signal))
}

/** For actions that want a server on this machine. */
export const namesOneServerHere = [
  ({ dataDirectory, server }: ServerHere) => (dataDirectory === undefined) !== (server === undefined),
  { message: "it needs one of 'server' and 'dataDirectory'" },
] as const
