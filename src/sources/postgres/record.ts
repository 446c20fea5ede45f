import { z } from 'zod'
import { HoldfastError, messageOf } from '../../kernel/index.ts'
import type { BaseBackupFacts } from '../../postgres/index.ts'
import type { Repository, Snapshot, TreeNode } from '../../repository/index.ts'

/** The names within a snapshot of a PostgreSQL service. `restic restore` gives the same folders. */
export const backupPaths = {
  /** The service's folder: also the snapshot's path, with a `/` before it. */
  root: (service: string) => `postgres/${service}`,
  /** A data directory that plain PostgreSQL starts on. */
  data: (service: string) => `postgres/${service}/data`,
  record: (service: string) => `postgres/${service}/backup.json`,
} as const

const lsn = z.string().regex(/^[0-9A-F]{1,8}\/[0-9A-F]{1,8}$/)

/** `backup.json`: what is known of a base backup, beside its data directory. */
export const baseBackupRecord = z.object({
  format: z.literal(1),
  kind: z.literal('postgres-base-backup'),
  service: z.string(),
  label: z.string(),
  /** Decimal; above 2^53. */
  systemIdentifier: z.string().regex(/^\d+$/),
  /** The major version. */
  version: z.int(),
  fullVersion: z.string(),
  timeline: z.int().min(1),
  startLsn: lsn,
  stopLsn: lsn,
  /** The server's clock, ISO 8601 UTC, at the beginning and the end of the copying. */
  startTime: z.iso.datetime(),
  stopTime: z.iso.datetime(),
  /** True when it was taken from a standby. */
  fromStandby: z.boolean(),
  dataChecksums: z.boolean(),
  walSegmentBytes: z.int(),
  tablespaces: z.array(z.object({ oid: z.int(), location: z.string() })),
  /** What a server that recovers this needs at least as high. */
  settings: z.record(z.string(), z.string()),
  /** Who a server that recovers this can be inspected and promoted as. */
  superuser: z.string().optional(),
  /** Configuration files outside the data directory, kept below `config/`; with the reason where one could not be read. */
  configuration: z.array(z.object({ path: z.string(), notSaved: z.string().optional() })),
  files: z.int(),
  bytes: z.int(),
  checkedPages: z.int(),
  damagedPages: z.array(z.object({ path: z.string(), block: z.int() })),
})

export type BaseBackupRecord = z.infer<typeof baseBackupRecord>

export function recordOf(
  service: string,
  facts: BaseBackupFacts,
  configuration: BaseBackupRecord['configuration'],
): BaseBackupRecord {
  const { server } = facts
  return {
    format: 1,
    kind: 'postgres-base-backup',
    service,
    label: facts.label,
    systemIdentifier: server.systemIdentifier,
    version: server.version,
    fullVersion: server.fullVersion,
    timeline: facts.timeline,
    startLsn: facts.startLsn,
    stopLsn: facts.stopLsn,
    startTime: facts.startTime,
    stopTime: facts.stopTime,
    fromStandby: server.inRecovery,
    dataChecksums: server.dataChecksums,
    walSegmentBytes: server.walSegmentBytes,
    tablespaces: facts.tablespaces.map(({ oid, location }) => ({ oid, location })),
    settings: { ...facts.settings },
    ...(facts.superuser === undefined ? {} : { superuser: facts.superuser }),
    configuration,
    files: facts.files,
    bytes: facts.bytes,
    checkedPages: facts.checkedPages,
    damagedPages: facts.damagedPages.map(({ path, block }) => ({ path, block })),
  }
}

/** Reads the record of a service's base backup from a snapshot. Throws `not-found` where there is none, `object-damaged` where it is not one. */
export async function readBaseBackupRecord(
  repository: Repository,
  snapshot: Snapshot,
  service: string,
  signal?: AbortSignal,
): Promise<BaseBackupRecord> {
  const names = backupPaths.record(service).split('/')
  let tree: string | undefined = snapshot.tree
  let content: readonly string[] | undefined
  for (const [at, name] of names.entries()) {
    const nodes: TreeNode[] = tree === undefined ? [] : await repository.readTree(tree, signal)
    const node = nodes.find((candidate) => candidate.name.toString('utf8') === name)
    tree = node?.subtree
    if (at === names.length - 1) content = node?.content ?? undefined
  }
  if (content === undefined) {
    throw new HoldfastError('not-found', {
      message: `snapshot ${snapshot.id.slice(0, 8)} holds no base backup of the service ${service}`,
      hint: `look at what it holds: \`holdfast ls ${snapshot.id.slice(0, 8)}\``,
    })
  }
  const blobs: Uint8Array[] = []
  for (const id of content) blobs.push(await repository.readBlob('data', id, signal))
  try {
    return baseBackupRecord.parse(JSON.parse(Buffer.concat(blobs).toString('utf8')))
  } catch (error) {
    throw new HoldfastError('object-damaged', {
      message: `backup.json of snapshot ${snapshot.id.slice(0, 8)} cannot be read: ${messageOf(error)}`,
      cause: error,
    })
  }
}
