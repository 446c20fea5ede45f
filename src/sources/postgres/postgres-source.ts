import { goMode, TreeBuilder, type ArchiveContext, type ArchivedTree, type Skipped, type Source } from '../../backup/index.ts'
import type { Json } from '../../kernel/index.ts'
import {
  checkReplicationReadiness,
  notReadyError,
  outsideConfiguration,
  takeBaseBackup,
  type BackupEntry,
  type BaseBackupFacts,
} from '../../postgres/index.ts'
import type { SavedContent } from '../../repository/index.ts'
import { contentKey, parentFiles } from './parent-files.ts'
import { backupPaths, recordOf, type BaseBackupRecord } from './record.ts'
import { SectionSaver } from './section-saver.ts'

export interface PostgresSourceOptions {
  /** A connection URL of a user that may replicate. Never stored. */
  readonly url: string
  /** The service's name: it names the folder in the snapshot. */
  readonly service: string
  readonly tags?: readonly string[]
}

const progressEveryMs = 250

/**
 * A running PostgreSQL server, by a base backup over the replication protocol: `postgres/<service>/data` is a data directory that plain
 * PostgreSQL starts on, also after `restic restore`; tablespaces lie beside it and `backup.json` says what it is. Needs no program of
 * PostgreSQL's on this machine.
 *
 * Throws `postgres-setting` naming what the server must allow, before anything is stored. Damaged pages of the source are reported as
 * skipped: they are in the snapshot as the server holds them.
 */
export function createPostgresSource(options: PostgresSourceOptions): Source {
  const { service, tags = [] } = options
  return {
    kind: 'postgres',
    describe: () => ({ paths: [`/${backupPaths.root(service)}`], tags }),
    archive: (context, signal) => archiveServer(context, options, signal),
  }
}

async function archiveServer(
  context: ArchiveContext,
  { url, service }: PostgresSourceOptions,
  signal: AbortSignal,
): Promise<ArchivedTree> {
  const { writer, repository, parent, progress } = context
  const findings = await checkReplicationReadiness(url, { walSenders: 1 }, signal)
  const blocking = findings.filter(({ setting }) => setting !== 'max_replication_slots')
  if (blocking.length > 0) throw notReadyError(url, blocking)

  const root = backupPaths.root(service)
  const tree = new TreeBuilder()
  const before = await parentFiles(repository, parent, root, signal)
  const saver = new SectionSaver(writer, signal)
  const files: { readonly path: string; readonly entry: BackupEntry; readonly saved: Promise<SavedContent> }[] = []
  const report = throttled(progress)

  async function add(entry: BackupEntry, content: AsyncIterable<Buffer>): Promise<void> {
    const path = `${root}/${entry.path}`
    const { saved } = await saver.take(content)
    if (entry.type === 'file') files.push({ path, entry, saved })
    else tree.add(path, { ...metadata(entry), content: null })
  }

  const facts = await takeBaseBackup({ url, label: `holdfast ${service}` }, { add }, report, signal)
  const configuration = await addConfiguration(url, facts, add, signal)
  const record = recordOf(service, facts, configuration)
  const recordText = `${JSON.stringify(record, undefined, 2)}\n`
  await add(plainFile('backup.json', facts), single(Buffer.from(recordText)))
  await saver.finish()

  const stats = { filesNew: 0, filesChanged: 0, filesUnmodified: 0 }
  let bytes = 0
  for (const { path, entry, saved } of files) {
    const { content, sizeBytes } = await saved
    const earlier = before.get(path)
    if (earlier === undefined) stats.filesNew++
    else if (earlier === contentKey(content)) stats.filesUnmodified++
    else stats.filesChanged++
    bytes += sizeBytes
    tree.add(path, { ...metadata(entry), size: BigInt(sizeBytes), links: 1n, content })
  }
  const built = await tree.finish(writer, signal)
  return {
    tree: built.tree,
    stats: {
      ...stats,
      dirsNew: before.size === 0 ? built.directories : 0,
      dirsChanged: before.size === 0 ? 0 : built.directories,
      dirsUnmodified: 0,
      totalFilesProcessed: files.length,
      totalBytesProcessed: bytes,
    },
    skipped: damage(root, facts),
    facts: JSON.parse(recordText) as Json,
  }
}

function metadata(entry: BackupEntry) {
  const type = ({ file: 'file', directory: 'dir', symlink: 'symlink' } as const)[entry.type]
  const typeBits = { file: 0o100_000, directory: 0o040_000, symlink: 0o120_000 }[entry.type]
  const time = BigInt(entry.mtime) * 1_000_000_000n
  return {
    type,
    mode: goMode(typeBits | entry.mode),
    mtime: time,
    atime: time,
    ctime: time,
    uid: entry.uid,
    gid: entry.gid,
    user: entry.user,
    group: entry.group,
    ...(entry.linkTarget === undefined ? {} : { linkTarget: Buffer.from(entry.linkTarget) }),
  }
}

async function addConfiguration(
  url: string,
  facts: BaseBackupFacts,
  add: (entry: BackupEntry, content: AsyncIterable<Buffer>) => Promise<void>,
  signal: AbortSignal,
): Promise<BaseBackupRecord['configuration']> {
  const kept: BaseBackupRecord['configuration'] = []
  for (const file of await outsideConfiguration(url, signal)) {
    if ('bytes' in file) await add(plainFile(`config${file.path}`, facts), single(file.bytes))
    kept.push({ path: file.path, ...('notSaved' in file ? { notSaved: file.notSaved } : {}) })
  }
  return kept
}

/** A file that the server did not send, owned as its data directory is. */
function plainFile(path: string, { owner, stopTime }: BaseBackupFacts): BackupEntry {
  return { path, type: 'file', mode: 0o600, ...owner, mtime: Math.floor(Date.parse(stopTime) / 1000) }
}

async function* single(bytes: Buffer): AsyncGenerator<Buffer, void, undefined> {
  if (bytes.length > 0) yield bytes
}

function damage(root: string, facts: BaseBackupFacts): Skipped[] {
  const again = facts.notReread === undefined ? '' : ` (it could not be read a second time: ${facts.notReread})`
  return facts.damagedPages.map(({ path, block }) => ({
    path: `/${root}/data/${path}`,
    reason: `block ${block} has a wrong page checksum on the server; the copy is as damaged${again}`,
  }))
}

/** Files come by the thousand; people need a few events a second. */
function throttled(progress: ArchiveContext['progress']) {
  const startMs = performance.now()
  let nextMs = 0
  return (event: { filesDone: number; bytesDone: number; bytesTotal: number; current: string }) => {
    const now = performance.now()
    if (now < nextMs) return
    nextMs = now + progressEveryMs
    // The server's estimate leaves out WAL, and is made before what grows meanwhile.
    const bytesTotal = Math.max(event.bytesTotal, event.bytesDone)
    const rate = event.bytesDone / (now - startMs)
    // A rate measured over next to nothing is a guess that frightens people.
    const known = event.bytesDone > bytesTotal / 100
    progress({ type: 'backup', ...event, bytesTotal, ...(known ? { etaMs: (bytesTotal - event.bytesDone) / rate } : {}) })
  }
}
