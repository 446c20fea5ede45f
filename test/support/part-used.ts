import { randomBytes } from 'node:crypto'
import { expect } from 'vitest'
import { checkRepository, prune, type PruneJob, type PruneReport } from '../../src/backup/index.ts'
import { createRepository, encodeTree, openRepository, type Repository, type TreeNode } from '../../src/repository/index.ts'
import { createMemoryBackend, type Backend } from '../../src/storage/index.ts'

const password = 'p'
const { signal } = new AbortController()
const lockTimes = { settleMs: 1, refreshEveryMs: 60_000, lostAfterMs: 120_000 }

export function openMemory(backend: Backend): Promise<Repository> {
  return openRepository(backend, password, undefined, { lockTimes })
}

export function pruneNow(repository: Repository, options: Omit<PruneJob, 'repository'> = {}): Promise<PruneReport> {
  return prune({ repository, maxUnused: { bytes: 0 }, ...options }, () => {}, signal)
}

function fileNode(name: string, content: readonly string[], size: number): TreeNode {
  const times = { mtime: 0n, atime: 0n, ctime: 0n }
  return { name: Buffer.from(name), type: 'file', mode: 0o644, uid: 0, gid: 0, ...times, content, size: BigInt(size) }
}

/** A snapshot of one folder with these files. */
export async function saveFiles(
  repository: Repository,
  files: Readonly<Record<string, Uint8Array>>,
  day: number,
): Promise<string> {
  await repository.refreshIndex()
  await using writer = await repository.createWriter({ workers: 1, packBytes: 64 * 1024 })
  const nodes: TreeNode[] = []
  for (const [name, content] of Object.entries(files)) {
    const saved = await writer.saveStream(one(content))
    nodes.push(fileNode(name, saved.content, content.length))
  }
  const { id: tree } = await writer.saveTree(encodeTree(nodes))
  await writer.flush()
  const time = `2025-01-${String(day).padStart(2, '0')}T00:00:00Z`
  return (await repository.saveSnapshot({ time, tree, paths: ['/x'], hostname: 'h' })).id
}

async function* one(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes
}

/** A copy of what is stored, to be damaged. */
export async function copyOf(backend: Backend): Promise<Backend> {
  const copy = createMemoryBackend()
  for (const kind of ['config', 'keys', 'index', 'snapshots', 'data'] as const)
    for await (const { name } of backend.list(kind)) await copy.put(kind, name, await backend.get(kind, name))
  return copy
}

export async function expectWhole(backend: Backend): Promise<void> {
  await using repository = await openMemory(backend)
  const report = await checkRepository({ repository, readData: true, noLock: true }, () => {}, signal)
  expect(report.findings.filter(({ severity }) => severity === 'error')).toEqual([])
  expect(report.snapshots).toBeGreaterThan(0)
}

let made: Promise<Backend> | undefined

/** Three states of files of which some stay, two of them forgotten: packs are unused, used in part, and used. */
export async function usedInPart(): Promise<Backend> {
  made ??= makeUsedInPart()
  return copyOf(await made)
}

async function makeUsedInPart(): Promise<Backend> {
  const backend = createMemoryBackend()
  const repository = await createRepository(backend, password, { kdf: { N: 1024, r: 8, p: 1 } })
  const files = Object.fromEntries(Array.from({ length: 12 }, (_, file) => [`f${file}`, randomBytes(20_000)]))
  const gone = [await saveFiles(repository, files, 1)]
  for (const file of [0, 3, 6, 9]) files[`f${file}`] = randomBytes(20_000)
  gone.push(await saveFiles(repository, files, 2))
  for (const file of [1, 9, 10]) files[`f${file}`] = randomBytes(20_000)
  await saveFiles(repository, files, 3)
  for (const id of gone) await repository.forgetSnapshot(id)
  return backend
}
