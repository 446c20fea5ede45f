import { mkdtempDisposableSync, mkdirSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { backup, checkRepository } from '../../backup/index.ts'
import { createRepository, openRepository, type BlobType, type Repository } from '../../repository/index.ts'
import { createMemoryBackend, type Backend } from '../../storage/index.ts'
import { createFilesSource } from './files-source.ts'

const { signal } = new AbortController()
const kdf = { N: 32768, r: 8, p: 1 }

const content = 'the only file'
/** Without what lies above the folder: that changes while tests run. */
const newContentBytes = content.length

/** A repository with one backup of a folder in a folder; `damage` then does something to its packs of one type. */
async function damaged(type: BlobType, damage: (backend: Backend, pack: string) => Promise<void>) {
  const dir = mkdtempDisposableSync(join(tmpdir(), 'holdfast-lost-'))
  mkdirSync(join(dir.path, 'outer', 'inner'), { recursive: true })
  writeFileSync(join(dir.path, 'outer', 'inner', 'file'), content)
  const backend = createMemoryBackend()
  const repository = await createRepository(backend, 'password', { kdf })
  await run(repository, dir.path)
  const index = await repository.loadIndex()
  const packs = new Set([...index.entries()].filter((blob) => blob.type === type).map(({ pack }) => pack))
  for (const pack of packs) await damage(backend, pack)
  return { path: dir.path, backend, packs: [...packs], [Symbol.dispose]: () => dir.remove() }
}

function run(repository: Repository, path: string) {
  const source = createFilesSource({ paths: ['outer'], workingDirectory: path })
  return backup({ repository, source, host: 'test', writer: { workers: 1 } }, () => {}, signal)
}

/** The snapshots that a check with all data finds incomplete, by whoever opens the repository next. */
async function incomplete(backend: Backend): Promise<string[]> {
  const repository = await openRepository(backend, 'password')
  const { findings } = await checkRepository({ repository, readData: true, noLock: true }, () => {}, signal)
  return findings.flatMap((finding) => ('snapshots' in finding ? finding.snapshots : []))
}

test('content whose pack is gone is read and stored again, though the file did not change and the index names it', async () => {
  using lost = await damaged('data', (backend, pack) => backend.delete('data', pack))
  expect(await incomplete(lost.backend)).toHaveLength(1)
  const again = await run(await openRepository(lost.backend, 'password'), lost.path)
  expect(again).toMatchObject({ bytesRead: newContentBytes, addedBytes: newContentBytes, lostPacks: lost.packs })
  expect(await incomplete(lost.backend)).toEqual([])
  const third = await run(await openRepository(lost.backend, 'password'), lost.path)
  expect(third).toMatchObject({ bytesRead: 0, addedBytes: 0, filesUnmodified: 1 })
})

test.each([
  ['gone', (backend: Backend, pack: string) => backend.delete('data', pack)],
  ['cut short', (backend: Backend, pack: string) => alter(backend, pack, (bytes) => bytes.subarray(0, -1))],
  ['altered', (backend: Backend, pack: string) => alter(backend, pack, (bytes) => bytes.map((byte) => byte ^ 1))],
])('trees whose pack is %s are stored again', async (_, damage) => {
  using lost = await damaged('tree', damage)
  expect(await incomplete(lost.backend)).toHaveLength(1)
  await run(await openRepository(lost.backend, 'password'), lost.path)
  expect(await incomplete(lost.backend)).toEqual([])
})

async function alter(backend: Backend, pack: string, change: (bytes: Uint8Array) => Uint8Array): Promise<void> {
  const bytes = change(await backend.get('data', pack))
  await backend.delete('data', pack)
  await backend.put('data', pack, bytes)
}
