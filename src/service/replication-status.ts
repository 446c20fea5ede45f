import { leaderPosition, lookAt, resolveServer, serversOf, type SeenServer, type Sight } from '../actions/index.ts'
import { secretsOf, type Catalog } from '../catalog/index.ts'
import { isHoldfastError } from '../kernel/index.ts'
import { describeLag, formatLsn, openSql, replicationLag, type ReplicationLag } from '../postgres/index.ts'

/** A server of a service, and what would be lost if it took over now. */
export interface ServerReport {
  readonly name: string
  readonly site: string
  /** primary, closed (fenced by SQL), standby, stopped, or unseen: it does not answer, and its files are elsewhere. */
  readonly state: Sight['kind']
  readonly timeline?: number
  readonly systemIdentifier?: string
  /** Where a primary writes; where a standby's replay is. */
  readonly lsn?: string
  /** Of a standby: what it has, replayed or not. */
  readonly receivedLsn?: string
  readonly replay?: 'running' | 'pause-requested' | 'paused'
  readonly streaming?: boolean
  /** As the leader has it: sync, quorum, potential or async. */
  readonly syncState?: string
  readonly lag?: ReplicationLag
  /** In words: what would be lost if it took over now. */
  readonly wouldLose?: string
  readonly warnings: readonly string[]
}

/** Looks at every server of a service. Empty for one without declared standbys. Nothing is changed. */
export async function replicationStatus(catalog: Catalog, service: string, signal: AbortSignal): Promise<ServerReport[]> {
  const declared = serversOf(catalog, service)
  if (declared.length < 2) return []
  const context = { catalog, resolveSecret: secretsOf(catalog) }
  const seen = await Promise.all(
    declared.map(async ({ name }) => {
      const server = await resolveServer(context, { server: name, service }, signal)
      return { server, sight: await lookAt(server, signal) }
    }),
  )
  const syncStates = await syncStatesOf(seen, signal)
  const timelines = seen.flatMap(({ sight }) => ('state' in sight && sight.state ? [sight.state.timeline] : []))
  const newest = Math.max(0, ...timelines)
  const primaries = seen.filter(({ sight }) => sight.kind === 'primary').length
  return await Promise.all(
    seen.map(async (one) => {
      const others = seen.filter((other) => other !== one)
      return await report(one, others, { newest, primaries, syncState: syncStates.get(one.server.name) }, signal)
    }),
  )
}

interface Whole {
  /** The newest timeline that any server is on. */
  readonly newest: number
  readonly primaries: number
  readonly syncState: string | undefined
}

async function report(
  { server, sight }: SeenServer,
  others: readonly SeenServer[],
  { newest, primaries, syncState }: Whole,
  signal: AbortSignal,
): Promise<ServerReport> {
  const { name, site } = server
  const state = 'state' in sight ? sight.state : undefined
  const warnings: string[] = []
  if (sight.kind === 'primary' && primaries > 1) warnings.push('another server takes writes too: two histories')
  if (sight.kind === 'primary' && state === undefined) warnings.push(sight.because)
  if (state !== undefined && state.timeline < newest) warnings.push(`timeline ${newest} leads, and it is on ${state.timeline}`)
  if (sight.kind === 'unseen') warnings.push('it does not answer: nobody knows what it does')
  if (state === undefined) return { name, site, state: sight.kind, warnings }
  const facts = {
    name,
    site,
    state: sight.kind,
    timeline: state.timeline,
    systemIdentifier: state.systemIdentifier,
    ...(state.lsn === undefined ? {} : { lsn: formatLsn(state.lsn) }),
  }
  if (!state.inRecovery) return { ...facts, warnings }
  const lag = replicationLag(state, await leaderPosition(others, state, signal))
  const streaming = state.receiver?.status === 'streaming'
  if (state.replay !== 'running') warnings.push('its replay is paused: it cannot be promoted')
  if (!streaming) warnings.push('it streams from nobody')
  if (!lag.known) warnings.push(`how far it is behind is unknown: ${lag.because}`)
  return {
    ...facts,
    ...(state.heldLsn === undefined ? {} : { receivedLsn: formatLsn(state.heldLsn) }),
    replay: state.replay,
    streaming,
    ...(syncState === undefined ? {} : { syncState }),
    lag,
    wouldLose: describeLag(lag),
    warnings,
  }
}

/** By the names of the servers: a standby is known to its leader by application_name, or by the slot that it uses. */
async function syncStatesOf(seen: readonly SeenServer[], signal: AbortSignal): Promise<ReadonlyMap<string, string>> {
  const leader = seen.find(({ sight }) => sight.kind === 'primary' && sight.state !== undefined)
  if (leader === undefined) return new Map()
  try {
    await using connection = await openSql(leader.server.url, {}, signal)
    const rows = await connection.query(
      `select r.application_name as name, r.sync_state, s.slot_name as slot
         from pg_stat_replication r left join pg_replication_slots s on s.active_pid = r.pid`,
    )
    return new Map(
      seen.flatMap(({ server, sight }) => {
        const slot = sight.kind === 'standby' ? sight.state?.receiver?.slot : undefined
        const row = rows.find((one) => (slot === undefined ? one.name === server.name : one.slot === slot))
        return row?.sync_state ? [[server.name, row.sync_state] as const] : []
      }),
    )
  } catch (error) {
    signal.throwIfAborted()
    if (!isHoldfastError(error)) throw error
    return new Map()
  }
}
