import { HoldfastError } from '../../kernel/index.ts'
import { sqlState } from '../connection/errors.ts'
import type { ServerFacts } from '../connection/inspect.ts'
import { openReplication, type ReplicationConnection, type ResultSet } from '../connection/replication.ts'
import { parseLsn } from '../lsn.ts'
import { backupParts } from './archives.ts'
import { explainFailure } from './explain.ts'
import { look, serverTime } from './look.ts'
import { ManifestReader } from './manifest.ts'
import { firstBlockOf, PageVerifier, type DamagedPage } from './page-verifier.ts'
import { safeName, tablespaceLink } from './names.ts'
import { ReceivedFiles } from './received-files.ts'
import { stillDamaged } from './reread.ts'
import type { BackupEntry, BackupSink } from './sink.ts'
import { readTar } from './tar-reader.ts'

export interface BaseBackupRequest {
  readonly url: string
  /** For backup_label and the server's views. */
  readonly label: string
}

export interface BaseBackupProgress {
  readonly filesDone: number
  readonly bytesDone: number
  /** The server's estimate, without WAL. */
  readonly bytesTotal: number
  readonly current: string
}

export interface BaseBackupFacts {
  readonly server: ServerFacts
  readonly label: string
  readonly timeline: number
  /** Where replay must begin, and where the copy is consistent at the earliest. */
  readonly startLsn: string
  readonly stopLsn: string
  /** The server's clock, ISO 8601 UTC. */
  readonly startTime: string
  readonly stopTime: string
  readonly tablespaces: readonly { readonly oid: number; readonly location: string }[]
  /** Settings that a server recovering this needs to be at least as high: max_connections and its like. */
  readonly settings: Readonly<Record<string, string>>
  /** The oldest superuser that may log in; absent when there is none. */
  readonly superuser?: string
  readonly files: number
  readonly bytes: number
  readonly checkedPages: number
  /** Pages that the source itself holds damaged: the copy equals the source. */
  readonly damagedPages: readonly DamagedPage[]
  /** Who owns the data directory on the server. */
  readonly owner: BackupOwner
  /** Why damaged pages could not be looked at a second time, if they could not. */
  readonly notReread?: string
}

/**
 * Copies a running server's data directory and the WAL that makes it consistent (BASE_BACKUP), into a sink. Memory stays bounded: files
 * stream. A temporary slot holds the server's WAL until the end. Every file is compared with the server's manifest, and every page's
 * checksum is verified where the server has them.
 *
 * Throws `postgres-unreachable` when the connection breaks, `postgres-setting` when the server does not allow it, `postgres-failed` for what
 * else it reports. Whatever it throws, what is in the sink is not a backup then.
 */
export async function takeBaseBackup(
  request: BaseBackupRequest,
  sink: BackupSink,
  onProgress: (progress: BaseBackupProgress) => void,
  signal: AbortSignal,
): Promise<BaseBackupFacts> {
  const { url, label } = request
  const { server, layout, settings, superuser, startTime, directoryMode } = await look(url, signal)
  await using replication = await openReplication(url, signal)
  await requireSameServer(replication, server)
  await holdWal(replication)
  try {
    const copy = await replication.startCopy(
      `BASE_BACKUP (LABEL ${quote(label)}, PROGRESS true, CHECKPOINT 'fast', WAL true, WAIT false, ` +
        `MANIFEST 'yes', MANIFEST_CHECKSUMS 'SHA256', TABLESPACE_MAP false, VERIFY_CHECKSUMS false)`,
    )
    const [start, archives = []] = copy.before
    const { lsn: startLsn, timeline } = position(start)
    const tablespaces = tablespacesOf(archives)
    const bytesTotal = archives.reduce((sum, row) => sum + Number(row.size ?? 0) * 1024, 0)

    const received = new ReceivedFiles()
    const suspects: DamagedPage[] = []
    let checkedPages = 0
    let filesDone = 0
    let bytesDone = 0
    let owner: BackupOwner | undefined

    for await (const part of backupParts(copy.messages, () => {})) {
      if (part.type === 'manifest') {
        const manifest = new ManifestReader((file) => received.compare(file))
        const entry: BackupEntry = { ...file('data/backup_manifest', owner ?? nobody), type: 'file', mode: 0o600 }
        await sink.add(
          entry,
          watched(part.bytes, (piece) => manifest.update(piece)),
        )
        manifest.end()
        received.finish()
        continue
      }
      const tablespace = /^(\d+)\.tar$/.exec(part.name)?.[1]
      for await (const entry of readTar(part.bytes)) {
        const name = safeName(entry.name)
        if (name === undefined) continue
        if (!owner) {
          owner = { uid: entry.uid, gid: entry.gid, user: entry.user, group: entry.group }
          await sink.add({ ...file('data', owner), type: 'directory', mode: directoryMode }, nothing())
          for (const path of tablespaces.length > 0
            ? ['tablespaces', ...tablespaces.map(({ oid }) => `tablespaces/${oid}`)]
            : []) {
            await sink.add({ ...file(path, owner), type: 'directory', mode: 0o700 }, nothing())
          }
        }
        const path = tablespace === undefined ? `data/${name}` : `tablespaces/${tablespace}/${name}`
        const logical = tablespace === undefined ? name : `pg_tblspc/${tablespace}/${name}`
        const link = tablespaceLink(entry.type, name)
        const { mode, uid, gid, user, group, mtime, type } = entry
        const first = server.dataChecksums ? firstBlockOf(logical, layout) : undefined
        const pages = first === undefined ? undefined : new PageVerifier(logical, first, layout, parseLsn(startLsn))
        const watch = (piece: Buffer) => {
          bytesDone += piece.length
          pages?.update(piece)
          onProgress({ filesDone, bytesDone, bytesTotal, current: logical })
        }
        await sink.add(
          { path, type, mode, uid, gid, user, group, mtime, ...(link === undefined ? {} : { linkTarget: link }) },
          type === 'file' ? received.watch(logical, entry.content, watch) : nothing(),
        )
        if (type === 'file') filesDone++
        checkedPages += pages?.checkedPages ?? 0
        suspects.push(...(pages?.damaged ?? []))
      }
    }
    const after = await copy.endCopy()
    const { lsn: stopLsn } = position(after[0])
    if (received.count === 0) throw new HoldfastError('postgres-failed', { message: 'the server sent no file and no manifest' })
    const reread = await stillDamaged(url, suspects, layout, parseLsn(startLsn), signal)
    return {
      server,
      label,
      timeline,
      startLsn,
      stopLsn,
      startTime,
      stopTime: await serverTime(url, signal),
      tablespaces,
      settings,
      ...(superuser === undefined ? {} : { superuser }),
      files: filesDone,
      bytes: bytesDone,
      checkedPages,
      damagedPages: reread.damaged,
      owner: owner ?? nobody,
      ...(reread.notReread === undefined ? {} : { notReread: reread.notReread }),
    }
  } catch (error) {
    throw explainFailure(error)
  }
}

export interface BackupOwner {
  readonly uid: number
  readonly gid: number
  readonly user: string
  readonly group: string
}

const nobody: BackupOwner = { uid: 0, gid: 0, user: '', group: '' }

function file(path: string, { uid, gid, user, group }: BackupOwner) {
  return { path, uid, gid, user, group, mtime: Math.floor(Date.now() / 1000) }
}

/** A name or a balancer may lead two connections to two servers. */
async function requireSameServer(replication: ReplicationConnection, server: ServerFacts): Promise<void> {
  const [row] = await replication.query('IDENTIFY_SYSTEM')
  if (row?.systemid === server.systemIdentifier) return
  throw new HoldfastError('identity-mismatch', {
    message: `two connections to ${replication.location} reached different servers (system ${server.systemIdentifier} and ${row?.systemid})`,
    hint: 'name one server in the URL, not a balancer',
  })
}

/**
 * Keeps the WAL that the backup will need, while this connection lives. A server whose slots are all taken, or that has none, is backed
 * up without one: should it remove needed WAL meanwhile, the backup fails at its end, saying so.
 */
async function holdWal(replication: ReplicationConnection): Promise<void> {
  try {
    await replication.query(
      `CREATE_REPLICATION_SLOT "holdfast_backup_${process.pid}_${Date.now()}" TEMPORARY PHYSICAL RESERVE_WAL`,
    )
  } catch (error) {
    // configuration_limit_exceeded; object_not_in_prerequisite_state (max_replication_slots is 0).
    if (!['53400', '55000'].includes(sqlState(error) ?? '')) throw error
  }
}

function position(results: ResultSet | undefined): { lsn: string; timeline: number } {
  const row = results?.[0]
  if (row?.recptr == null || row.tli == null) {
    throw new HoldfastError('postgres-failed', { message: 'the server does not say where in the WAL the backup is' })
  }
  return { lsn: row.recptr, timeline: Number(row.tli) }
}

/** The second result set: one row for each tablespace archive, and one with nulls for base.tar. */
function tablespacesOf(rows: ResultSet): { oid: number; location: string }[] {
  return rows.flatMap(({ spcoid, spclocation }) => {
    if (spcoid == null) return []
    // PostgreSQL resolves such a link from the wrong folder when it makes a backup, and silently leaves the tablespace out.
    if (!spclocation?.startsWith('/')) {
      throw new HoldfastError('postgres-setting', {
        message: `the tablespace ${spcoid} lies at '${spclocation}', a relative link, which PostgreSQL leaves out of base backups`,
        hint: `on the server, stopped: replace the link pg_tblspc/${spcoid} in its data directory by one to the absolute path`,
        details: { setting: 'tablespace', oid: Number(spcoid) },
      })
    }
    return [{ oid: Number(spcoid), location: spclocation }]
  })
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "''")}'`
}

async function* nothing(): AsyncGenerator<Buffer, void, undefined> {}

async function* watched(pieces: AsyncIterable<Buffer>, look: (piece: Buffer) => void): AsyncGenerator<Buffer, void, undefined> {
  for await (const piece of pieces) {
    look(piece)
    yield piece
  }
}
