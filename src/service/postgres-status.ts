import { defaultCatalog, findService, loadCatalog } from '../catalog/index.ts'
import type { ReceptionRequest } from './receive-wal.ts'
import { replicationStatus, type ServerReport } from './replication-status.ts'
import { walStatus, type WalStatus } from './wal-status.ts'

export interface PostgresStatus {
  /** Empty without declared standbys. */
  readonly servers: readonly ServerReport[]
  /** Absent for a service that has standbys and whose WAL is not received. */
  readonly wal?: WalStatus
}

/** What is known of a PostgreSQL: its servers, and the reception of its WAL. Throws `usage` for one that has neither. */
export async function postgresStatus(request: ReceptionRequest, signal: AbortSignal): Promise<PostgresStatus> {
  const { service: name, url } = request
  if (name === undefined || url !== undefined) return { servers: [], wal: await walStatus(request, signal) }
  const catalog = await loadCatalog(request.catalog ?? defaultCatalog(), {}, signal)
  const { data } = findService(catalog, name)
  const servers = await replicationStatus(catalog, name, signal)
  if (servers.length > 0 && data.postgres?.wal === 'none') return { servers }
  return { servers, wal: await walStatus(request, signal) }
}
