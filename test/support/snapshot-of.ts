import { goMode, TreeBuilder, type EntryNode } from '../../src/backup/index.ts'
import { createRepository, formatTime, openRepository, resticLockTimes } from '../../src/repository/index.ts'
import type { Repository, Snapshot, SnapshotRecord } from '../../src/repository/index.ts'
import { createMemoryBackend, type Backend } from '../../src/storage/index.ts'

/** A file by its text, anything else by its node. Names may be of any bytes. */
export type SampleEntry = readonly [path: string | Buffer, is: string | Uint8Array | Partial<EntryNode>]

/** A repository with a cheap key and locks that need not settle: nobody else is there. */
export async function memoryRepository(backend: Backend = createMemoryBackend()): Promise<Repository> {
  await createRepository(backend, 'secret', { kdf: { N: 1024, r: 8, p: 1 } })
  return openMemoryRepository(backend)
}

export function openMemoryRepository(backend: Backend): Promise<Repository> {
  return openRepository(backend, 'secret', undefined, { lockTimes: { ...resticLockTimes, settleMs: 0 } })
}

const mtime = 1_700_000_000_000_000_000n
const plain = { mtime, atime: mtime, ctime: mtime, uid: 0, gid: 0 }

/** Saves a snapshot of these entries. */
export async function snapshotOf(
  repository: Repository,
  entries: readonly SampleEntry[],
  fields: Partial<SnapshotRecord> = {},
): Promise<Snapshot> {
  await using writer = await repository.createWriter({ workers: 1 })
  const builder = new TreeBuilder()
  for (const [path, is] of entries) {
    if (typeof is !== 'string' && !(is instanceof Uint8Array)) {
      builder.add(path, { type: 'file', mode: goMode(0o644), content: null, ...plain, ...is })
      continue
    }
    const bytes = Buffer.from(is as Uint8Array)
    const { content } = await writer.saveStream(oneOf(bytes))
    builder.add(path, { type: 'file', mode: goMode(0o644), ...plain, size: BigInt(bytes.length), content })
  }
  const { tree } = await builder.finish(writer)
  await writer.flush()
  return repository.saveSnapshot({ time: formatTime(mtime), paths: ['/data'], hostname: 'here', ...fields, tree })
}

async function* oneOf(bytes: Uint8Array) {
  if (bytes.length > 0) yield bytes
}
