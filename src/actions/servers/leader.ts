import { HoldfastError } from '../../kernel/index.ts'
import { replicationState, type ReplicationState } from '../../postgres/index.ts'
import type { ActionContext } from '../contract.ts'
import { describeServer, findServer, resolveServer, serversOf, type NamedServer } from './named-server.ts'
import { lookAt } from './survey.ts'

export interface Leader {
  readonly server: NamedServer
  readonly state: ReplicationState
}

/**
 * The server that another is to follow: the one named, which must be a primary, or the only primary among the others. Throws
 * `identity-mismatch` when it is none, or when there are two.
 */
export async function leaderFor(
  context: Pick<ActionContext, 'catalog' | 'resolveSecret'>,
  follower: { readonly server: string; readonly service?: string | undefined },
  source: string | undefined,
  signal: AbortSignal,
): Promise<Leader> {
  const { service, name } = findServer(context.catalog, follower)
  const candidates = serversOf(context.catalog, service).filter((one) => one.name !== name && (source ?? one.name) === one.name)
  if (candidates.length === 0) {
    throw new HoldfastError('usage', {
      message:
        source === name
          ? `${describeServer({ name, service })} cannot follow itself`
          : `${service} has no other server '${source ?? ''}'`,
      hint: `its servers are: ${serversOf(context.catalog, service)
        .map((one) => one.name)
        .join(', ')}`,
    })
  }
  const seen = await Promise.all(
    candidates.map(async (one) => {
      const server = await resolveServer(context, { server: one.name, service }, signal)
      // One that is named must answer; of the others, whoever does.
      if (source !== undefined) return { server, state: await replicationState(server.url, signal) }
      const sight = await lookAt(server, signal)
      return { server, state: sight.kind === 'primary' || sight.kind === 'closed' ? sight.state : undefined }
    }),
  )
  const leaders = seen.flatMap(({ server, state }) => (state?.inRecovery === false ? [{ server, state }] : []))
  if (leaders.length === 1 && leaders[0] !== undefined) return leaders[0]
  throw new HoldfastError('identity-mismatch', {
    message:
      leaders.length === 0
        ? `there is no primary for ${describeServer({ name, service })} to follow: ${candidates.map((one) => one.name).join(', ')} is none`
        : `several servers are primaries: ${leaders.map(({ server }) => server.name).join(', ')}`,
    hint: leaders.length === 0 ? 'promote one first' : 'fence all but one, and name it: `source: NAME`',
  })
}
