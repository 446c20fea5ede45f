import { HoldfastError } from '../../kernel/index.ts'
import { openReplication } from '../connection/replication.ts'
import { describeUrl } from '../connection/location.ts'
import { dataDirectoryVersion } from '../installation.ts'
import { formatLsn, segmentNumber, type Lsn } from '../lsn.ts'
import { fetchHistory } from '../receiver/server-facts.ts'
import { formatTimeUs } from '../recovery/target.ts'
import { readControlFile } from '../recovery/control-file.ts'
import { describeHistory, forkPoint, parseTimelineHistory } from '../timeline-history.ts'
import { recordsOnDisk, walOnDisk, type WalOnDisk } from '../wal/on-disk.ts'
import { relationNames, type RelationName } from './relation-names.ts'
import { replicationState, type ReplicationState } from './state.ts'
import { createdFile, rowChange, transactionEnd, type RelationFile, type RowChange } from './wal-changes.ts'

/** Rows of one table that are only in one of two histories. */
export interface TableChanges {
  readonly database: string
  /** With its schema. A table that only the other history has is `file N`. */
  readonly table: string
  readonly inserted: number
  readonly updated: number
  readonly deleted: number
}

export interface DivergedTransaction {
  readonly xid: number
  /** ISO 8601, as the server that committed it saw the time. */
  readonly committedAt: string
  readonly tables: readonly TableChanges[]
}

/** What a data directory has in its WAL that another server does not, and never will. */
export interface Divergence {
  readonly systemIdentifier: string
  readonly timeline: number
  readonly otherTimeline: number
  /** `forked`: the other server leads on a timeline of its own. `behind`: it is a standby that has not received this yet. */
  readonly relation: 'forked' | 'behind'
  /** The last position that both have. */
  readonly fromLsn: string
  /** Where this one's WAL ends. */
  readonly toLsn: string
  readonly bytes: number
  /** False: WAL behind `fromLsn` is gone from the disk, so that more may be lost than is listed. */
  readonly complete: boolean
  /** Transactions that were committed. */
  readonly commits: number
  /** Transactions that wrote, and were not committed. */
  readonly unfinished: number
  readonly firstCommitAt?: string
  readonly lastCommitAt?: string
  /** Of the committed transactions, most rows first. The server's own catalogs are left out. */
  readonly tables: readonly TableChanges[]
  /** Rows of the server's catalogs that the committed transactions changed: definitions of tables, roles and the like. */
  readonly catalogRows: number
  /** In order of their commit; the first `limit` of them. */
  readonly transactions: readonly DivergedTransaction[]
}

/** Where the history in a data directory and that of a running server part. */
export interface CommonPoint {
  readonly relation: Divergence['relation']
  readonly lsn: Lsn
}

/**
 * Throws `identity-mismatch` for another cluster, or when neither history comes from the other. `replicationUrl` is asked for the timeline's
 * history.
 */
export async function commonPoint(
  disk: WalOnDisk,
  other: Pick<ReplicationState, 'systemIdentifier' | 'timeline' | 'inRecovery' | 'heldLsn' | 'lsn'>,
  replicationUrl: string,
  signal?: AbortSignal,
): Promise<CommonPoint> {
  const { systemIdentifier } = await readControlFile(disk.dataDir)
  const mismatch = (message: string) =>
    new HoldfastError('identity-mismatch', {
      message,
      hint: 'compare servers of one cluster: the old primary with the one that leads now',
    })
  if (systemIdentifier !== other.systemIdentifier) {
    throw mismatch(
      `${disk.dataDir} is of the cluster ${systemIdentifier}, ${describeUrl(replicationUrl)} of ${other.systemIdentifier}`,
    )
  }
  if (other.timeline === disk.timeline) {
    const lsn = other.inRecovery ? other.heldLsn : other.lsn
    return { relation: 'behind', lsn: lsn ?? 0n }
  }
  if (other.timeline < disk.timeline) {
    throw mismatch(
      `${disk.dataDir} is on timeline ${disk.timeline}, a later one than ${other.timeline}, that of ${describeUrl(replicationUrl)}`,
    )
  }
  await using connection = await openReplication(replicationUrl, signal)
  const history = parseTimelineHistory(other.timeline, await fetchHistory(connection, other.timeline))
  const fork = forkPoint(history, disk.timeline)
  if (fork !== undefined) return { relation: 'forked', lsn: fork }
  throw mismatch(
    `timeline ${disk.timeline} of ${disk.dataDir} is no ancestor of ${describeUrl(replicationUrl)}: ${describeHistory(history)}`,
  )
}

const defaultLimit = 1000

/**
 * What would be lost if the data directory were made to follow the other server, or, while that is still its standby, if the standby took
 * over now. Reads the WAL on the disk, of a running server too; changes nothing. Names of tables are the other server's.
 */
export async function readDivergence(
  dataDir: string,
  other: { readonly url: string; readonly replicationUrl: string },
  { limit = defaultLimit }: { readonly limit?: number } = {},
  signal?: AbortSignal,
): Promise<Divergence> {
  const state = await replicationState(other.url, signal)
  const disk = await walOnDisk(dataDir)
  const point = await commonPoint(disk, state, other.replicationUrl, signal)
  const found = await readChanges(disk, point.lsn, signal)
  const committed = found.ended.filter((end) => end.committed)
  const files = uniqueFiles(committed.flatMap(({ changes }) => changes))
  const known = await relationNames(
    other.url,
    files.filter((file) => !found.created.has(key(file))),
    signal,
  )
  // The same number may have been given to another table over there since.
  const nameOf = (file: RelationFile): RelationName =>
    found.created.has(key(file)) ? { ...known({ ...file, file: 0 }), table: `file ${file.file}`, kind: 'unknown' } : known(file)
  const times = committed.flatMap(({ atUs }) => (atUs === undefined ? [] : [atUs])).toSorted((a, b) => (a < b ? -1 : 1))
  const [first, last] = [times[0], times.at(-1)]
  const all = committed.flatMap(({ changes }) => changes)
  return {
    systemIdentifier: state.systemIdentifier,
    timeline: disk.timeline,
    otherTimeline: state.timeline,
    relation: point.relation,
    fromLsn: formatLsn(point.lsn),
    toLsn: formatLsn(found.end > point.lsn ? found.end : point.lsn),
    bytes: found.end > point.lsn ? Number(found.end - point.lsn) : 0,
    complete: found.complete,
    commits: committed.length,
    unfinished: found.unfinished,
    ...(first === undefined ? {} : { firstCommitAt: formatTimeUs(first) }),
    ...(last === undefined ? {} : { lastCommitAt: formatTimeUs(last) }),
    tables: tablesOf(all, nameOf),
    catalogRows: all.filter(({ relation }) => nameOf(relation).kind === 'catalog').reduce((sum, { rows }) => sum + rows, 0),
    transactions: committed.slice(0, limit).map(({ xid, atUs, changes }) => ({
      xid,
      committedAt: atUs === undefined ? 'unknown' : formatTimeUs(atUs),
      tables: tablesOf(changes, nameOf),
    })),
  }
}

interface Ended {
  readonly xid: number
  readonly committed: boolean
  readonly atUs: bigint | undefined
  readonly changes: readonly RowChange[]
}

async function readChanges(disk: WalOnDisk, from: Lsn, signal?: AbortSignal) {
  const version = dataDirectoryVersion(disk.dataDir)
  const open = new Map<number, RowChange[]>()
  const created = new Set<string>()
  const ended: Ended[] = []
  let end = 0n
  for await (const record of recordsOnDisk(disk, startOfReading(disk, from), signal)) {
    end = record.end
    const isShared = record.start < from
    const file = isShared ? undefined : createdFile(record)
    if (file !== undefined) created.add(key(file))
    const change = rowChange(record)
    if (change !== undefined)
      addTo(
        open.getOrInsertComputed(record.xid, () => []),
        change,
      )
    const finished = transactionEnd(record, version)
    if (finished === undefined) continue
    const xids = [finished.xid, ...finished.subtransactions]
    const changes = xids.flatMap((xid) => open.get(xid) ?? [])
    for (const xid of xids) open.delete(xid)
    if (!isShared) ended.push({ xid: finished.xid, committed: finished.committed, atUs: record.endedAtUs, changes })
  }
  const unfinished = open.size + ended.filter(({ committed }) => !committed).length
  return { ended, created, end, unfinished, complete: await reaches(disk, from, end) }
}

const segmentsBefore = 4

/** A transaction that ends behind `from` may have begun before: the WAL just before it, as far as it is there, is read for its rows. */
function startOfReading({ segments, segmentBytes }: WalOnDisk, from: Lsn): Lsn {
  let segment = segmentNumber(from, segmentBytes)
  for (let back = 0; back < segmentsBefore && segments.includes(segment - 1n); back++) segment--
  return segment * BigInt(segmentBytes)
}

/** Whether everything behind `from` is on the disk: the last segment there was read. */
async function reaches(disk: WalOnDisk, from: Lsn, end: Lsn): Promise<boolean> {
  const last = disk.segments.at(-1)
  if (last === undefined) return false
  const readTo = end > from ? end : from
  // The segment after one that was filled may have been begun with nothing in it yet.
  return readTo >= last * BigInt(disk.segmentBytes)
}

/** Changes of one kind to one table are one entry, so that a transaction of a million rows is small. */
function addTo(changes: RowChange[], change: RowChange): void {
  const same = changes.findIndex(({ relation, kind }) => kind === change.kind && key(relation) === key(change.relation))
  const before = changes[same]
  if (before === undefined) changes.push(change)
  else changes[same] = { ...before, rows: before.rows + change.rows }
}

function tablesOf(changes: readonly RowChange[], nameOf: (file: RelationFile) => RelationName): TableChanges[] {
  const tables = new Map<string, { -readonly [K in keyof TableChanges]: TableChanges[K] }>()
  for (const { relation, kind, rows } of changes) {
    const name = nameOf(relation)
    if (name.kind === 'catalog' || name.kind === 'toast') continue
    const id = `${name.database} ${name.table}`
    const { database, table } = name
    tables.getOrInsertComputed(id, () => ({ database, table, inserted: 0, updated: 0, deleted: 0 }))[kind] += rows
  }
  const rows = ({ inserted, updated, deleted }: TableChanges) => inserted + updated + deleted
  return [...tables.values()].toSorted((a, b) => rows(b) - rows(a))
}

function uniqueFiles(changes: readonly RowChange[]): RelationFile[] {
  return [...new Map(changes.map(({ relation }) => [key(relation), relation])).values()]
}

const key = ({ tablespace, database, file }: RelationFile) => `${tablespace}/${database}/${file}`
