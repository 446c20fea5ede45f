import { isHoldfastError, messageOf } from '../../kernel/index.ts'
import {
  isStandby,
  openDoors,
  readControlFile,
  serverProcesses,
  tryReplicationState,
  walEnd,
  walOnDisk,
  withDatabase,
  type PrimaryPosition,
  type ReplicationState,
} from '../../postgres/index.ts'
import type { ActionContext } from '../contract.ts'
import { resolveServer, serversOf, type NamedServer } from './named-server.ts'

/**
 * What can be seen of a server from here.
 *
 * primary   takes writes, as far as anybody can tell: it says that it is no standby, or processes work on its data directory and say nothing.
 * closed    a primary whose every database refuses connections, with no session left.
 * standby   takes none.
 * stopped   no process works on its data directory.
 * unseen    does not answer, and its files are elsewhere.
 */
export type Sight =
  | { readonly kind: 'primary'; readonly state?: ReplicationState; readonly because: string }
  | { readonly kind: 'closed'; readonly state: ReplicationState }
  | { readonly kind: 'standby'; readonly state?: ReplicationState }
  | {
      readonly kind: 'stopped'
      readonly wasPrimary: boolean
      readonly systemIdentifier: string
      /** The newest that it has WAL of. */
      readonly timeline: number
    }
  | { readonly kind: 'unseen' }

export interface SeenServer {
  readonly server: NamedServer
  readonly sight: Sight
}

export interface LookOptions {
  /** How long a server that says nothing is given to accept a connection. Default: 2 s. */
  readonly reachWithinMs?: number | undefined
}

/** Looks at the other servers of a service, all at once. */
export async function surveyOthers(
  context: Pick<ActionContext, 'catalog' | 'resolveSecret'>,
  { service, name }: { readonly service: string; readonly name: string },
  signal: AbortSignal,
  options: LookOptions = {},
): Promise<SeenServer[]> {
  const others = serversOf(context.catalog, service).filter((other) => other.name !== name)
  return await Promise.all(
    others.map(async (other) => {
      const server = await resolveServer(context, { server: other.name, service }, signal)
      return { server, sight: await lookAt(server, signal, options) }
    }),
  )
}

/** Looks once more, but only at those that were seen: one that did not answer a moment ago would cost the same patience again. */
export async function lookAgain(before: readonly SeenServer[], signal: AbortSignal): Promise<SeenServer[]> {
  return await Promise.all(
    before.map(async ({ server, sight }) => ({ server, sight: sight.kind === 'unseen' ? sight : await lookAt(server, signal) })),
  )
}

/** Looks at one server: asks it, and where it does not answer, looks at its processes and files if they are here. */
export async function lookAt(server: NamedServer, signal: AbortSignal, options: LookOptions = {}): Promise<Sight> {
  const state = await tryReplicationState(server.url, signal, options)
  if (state?.inRecovery === true) return { kind: 'standby', state }
  if (state !== undefined) {
    const doors = await doorsOf(server.url, signal)
    return doors.length === 0 ? { kind: 'closed', state } : { kind: 'primary', state, because: doors.slice(0, 3).join('; ') }
  }
  const { dataDirectory } = server
  if (dataDirectory === undefined) return { kind: 'unseen' }
  const pids = await serverProcesses(dataDirectory).catch(() => undefined)
  if (pids === undefined) return { kind: 'unseen' }
  const isFollower = await isStandby(dataDirectory)
  if (pids.length > 0) {
    if (isFollower) return { kind: 'standby' }
    return { kind: 'primary', because: `process ${pids[0]} works on ${dataDirectory} and does not answer` }
  }
  const control = await readControlFile(dataDirectory).catch(() => undefined)
  if (control === undefined) return { kind: 'unseen' }
  const { systemIdentifier, state: was } = control
  const wasPrimary = !isFollower && was !== 'in-archive-recovery' && was !== 'shut-down-in-recovery'
  // Until its first checkpoint a promoted server has its new timeline in its WAL alone.
  const { timeline } = await walOnDisk(dataDirectory).catch(() => control)
  return { kind: 'stopped', wasPrimary, systemIdentifier, timeline }
}

/** Why a primary may take writes still; what cannot be looked at counts as open. */
async function doorsOf(url: string, signal: AbortSignal): Promise<readonly string[]> {
  try {
    return await openDoors(withDatabase(url, 'postgres'), signal)
  } catch (error) {
    signal.throwIfAborted()
    if (!isHoldfastError(error)) throw error
    return [messageOf(error)]
  }
}

/** The cluster that these servers are of, as far as they say; several where they disagree. */
export function identifiersOf(seen: readonly SeenServer[]): Set<string> {
  return new Set(
    seen.flatMap(({ sight }) => {
      if (sight.kind === 'stopped') return [sight.systemIdentifier]
      return 'state' in sight && sight.state !== undefined ? [sight.state.systemIdentifier] : []
    }),
  )
}

/** How far the leader of a standby came, if one of these servers was it: on the standby's timeline or a newer one, of several the newest. */
export async function leaderPosition(
  seen: readonly SeenServer[],
  { timeline }: Pick<ReplicationState, 'timeline'>,
  signal: AbortSignal,
): Promise<PrimaryPosition | undefined> {
  const found: (PrimaryPosition & { readonly timeline: number })[] = []
  for (const { server, sight } of seen) {
    if ((sight.kind === 'primary' || sight.kind === 'closed') && sight.state?.lsn !== undefined) {
      found.push({ lsn: sight.state.lsn, basis: 'primary', timeline: sight.state.timeline })
    }
    if (sight.kind === 'stopped' && sight.wasPrimary && server.dataDirectory !== undefined) {
      try {
        found.push({ ...(await walEnd(server.dataDirectory, signal)), basis: 'primary-files' })
      } catch (error) {
        // Unreadable WAL says nothing; the lag is then unknown, which is said.
        if (!isHoldfastError(error)) throw error
      }
    }
  }
  const leaders = found.filter((one) => one.timeline >= timeline)
  return leaders.toSorted((a, b) => b.timeline - a.timeline || (b.lsn > a.lsn ? 1 : -1))[0]
}
