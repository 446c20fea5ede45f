import { lookAt, requireLocal, resolveServer, serversOf, type NamedServer } from '../actions/index.ts'
import { findService, secretsOf, type Catalog } from '../catalog/index.ts'
import { HoldfastError } from '../kernel/index.ts'
import { readDivergence, type Divergence } from '../postgres/index.ts'

export interface DivergenceRequest {
  readonly catalog: Catalog
  readonly service: string
  /** Whose WAL is read, on this machine. Default: `primary`. */
  readonly of?: string
  /** Default: the other server that leads, else the only standby. */
  readonly against?: string
}

export interface DivergenceReport extends Divergence {
  readonly service: string
  readonly of: string
  readonly against: string
}

/** What a server has in its WAL that another has not: lost if the one is rewound, or if the other takes over now. Changes nothing. */
export async function serviceDivergence(request: DivergenceRequest, signal: AbortSignal): Promise<DivergenceReport> {
  const { catalog, service, of = 'primary' } = request
  findService(catalog, service)
  const context = { catalog, resolveSecret: secretsOf(catalog) }
  const target = await resolveServer(context, { server: of, service }, signal)
  const dataDir = requireLocal(target)
  const other =
    request.against === undefined
      ? await otherServer(catalog, service, of, signal)
      : await resolveServer(context, { server: request.against, service }, signal)
  return { service, of, against: other.name, ...(await readDivergence(dataDir, other, {}, signal)) }
}

async function otherServer(catalog: Catalog, service: string, of: string, signal: AbortSignal): Promise<NamedServer> {
  const others = serversOf(catalog, service).filter(({ name }) => name !== of)
  const seen = await Promise.all(
    others.map(async ({ name }) => {
      const server = await resolveServer({ catalog, resolveSecret: secretsOf(catalog) }, { server: name, service }, signal)
      return { server, sight: others.length === 1 ? undefined : await lookAt(server, signal) }
    }),
  )
  const leaders = seen.filter(({ sight }) => sight?.kind === 'primary' || sight?.kind === 'closed')
  const [only, ...more] = leaders.length > 0 ? leaders : seen
  if (only !== undefined && more.length === 0) return only.server
  throw new HoldfastError('usage', {
    message: only === undefined ? `${service} has no server besides ${of}` : `with which server is ${of} to be compared?`,
    hint:
      only === undefined
        ? `declare its standbys: services.${service}.data.postgres.standbys`
        : `--against one of: ${others.map(({ name }) => name).join(', ')}`,
  })
}
