import { leadOpinion, lookAt, requireLocal, resolveServer, serversOf, type LeadOpinion, type Sight } from '../actions/index.ts'
import { findService, secretsOf, type Catalog } from '../catalog/index.ts'
import { HoldfastError } from '../kernel/index.ts'
import { isStandby, readControlFile, walOnDisk } from '../postgres/index.ts'

/** `left-out`: a person has said that it counts for nothing. */
type OtherServerSays = LeadOpinion | 'left-out'

export interface MayLeadReport {
  readonly service: string
  readonly server: string
  /** Whether it may be started as it is. */
  readonly mayLead: boolean
  /** It follows another: whoever starts it starts no primary. Nobody was asked then. */
  readonly isStandby: boolean
  /** The newest that it has WAL of. */
  readonly timeline: number
  readonly others: readonly {
    readonly name: string
    readonly state: Sight['kind'] | 'left-out'
    readonly says: OtherServerSays
  }[]
}

export interface MayLeadRequest {
  readonly catalog: Catalog
  readonly service: string
  /** Default: `primary`. */
  readonly server?: string
  /** Servers that a person knows to be gone for good. */
  readonly without?: readonly string[]
}

/**
 * Whether a server on this machine may be started as the primary that its files make it: only if every other server of the service can be seen,
 * and none of them leads, or has followed a later leader. A fence by power leaves no mark on the server that it hit: this is asked when that comes back.
 */
export async function mayLead(request: MayLeadRequest, signal: AbortSignal): Promise<MayLeadReport> {
  const { catalog, service, server: name = 'primary', without = [] } = request
  findService(catalog, service)
  const context = { catalog, resolveSecret: secretsOf(catalog) }
  const server = await resolveServer(context, { server: name, service }, signal)
  const dataDirectory = requireLocal(server)
  const declared = serversOf(catalog, service).filter((other) => other.name !== name)
  const stranger = without.find((one) => !declared.some((other) => other.name === one))
  if (stranger !== undefined) {
    throw new HoldfastError('usage', {
      message: `${service} has no other server '${stranger}'`,
      hint: `there are: ${declared.map((other) => other.name).join(', ') || 'none'}`,
    })
  }
  const { systemIdentifier } = await readControlFile(dataDirectory)
  // Until its first checkpoint a promoted server has its new timeline in its WAL alone.
  const { timeline } = await walOnDisk(dataDirectory)
  const facts = { service, server: name, timeline }
  if (await isStandby(dataDirectory)) return { ...facts, mayLead: true, isStandby: true, others: [] }
  const others = await Promise.all(
    declared.map(async (other) => {
      if (without.includes(other.name)) return { name: other.name, state: 'left-out', says: 'left-out' } as const
      const sight = await lookAt(await resolveServer(context, { server: other.name, service }, signal), signal)
      return { name: other.name, state: sight.kind, says: leadOpinion(sight, { systemIdentifier, timeline }) }
    }),
  )
  const isFree = others.every(({ says }) => says === 'behind' || says === 'left-out')
  return { ...facts, mayLead: isFree, isStandby: false, others }
}
