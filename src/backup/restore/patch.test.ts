import { randomBytes } from 'node:crypto'
import { linkSync, lstatSync, mkdtempDisposableSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { memoryRepository, snapshotOf } from '../../../test/support/snapshot-of.ts'
import { createMemoryBackend } from '../../storage/index.ts'
import { restoreSnapshot, type RestoreJob } from './restore-snapshot.ts'

const { signal } = new AbortController()
const MiB = 1024 * 1024
const folder = () => mkdtempDisposableSync(join(tmpdir(), 'holdfast-patch-'))

/** A snapshot of a file whose third MiB and a half are zeros, and how to restore it in place. */
async function sample() {
  const content = randomBytes(9 * MiB)
  content.fill(0, 3 * MiB, 4.5 * MiB)
  const backend = createMemoryBackend()
  const repository = await memoryRepository(backend)
  const snapshot = await snapshotOf(repository, [['file', content]])
  const dir = folder()
  const at = join(dir.path, 'file')
  const restore = (more: Partial<RestoreJob> = {}) =>
    restoreSnapshot({ repository, snapshot, target: dir.path, overwrite: true, noLock: true, ...more }, () => {}, signal)
  /** Puts the file there with changes. */
  const put = (change: (bytes: Buffer) => Buffer | undefined) => {
    const bytes = Buffer.from(content)
    writeFileSync(at, change(bytes) ?? bytes)
  }
  return { content, backend, repository, snapshot, dir, at, restore, put }
}

test.each([
  ['with some bytes changed', (bytes: Buffer) => void randomBytes(100).copy(bytes, 6 * MiB)],
  ['with something where zeros should be', (bytes: Buffer) => void bytes.fill(7, 3 * MiB + 1000, 3 * MiB + 9000)],
  ['that is too long', (bytes: Buffer) => Buffer.concat([bytes, randomBytes(MiB)])],
  ['that is too short', (bytes: Buffer) => bytes.subarray(0, 7 * MiB)],
  ['that is both', (bytes: Buffer) => Buffer.concat([randomBytes(1000), bytes.subarray(1000), Buffer.from('more')])],
])('of a file %s only what differs is written, in this thread and in others', { timeout: 240_000 }, async (_, change) => {
  for (const threads of [0, 2]) {
    const { content, dir, at, restore, put } = await sample()
    using _dir = dir
    put(change)
    const before = readFileSync(at)
    const dry = await restore({ dryRun: true })
    expect(dry).toMatchObject({ files: 1, patchedFiles: 1, unchangedFiles: 0, wouldWrite: [at] })
    expect(dry.keptBytes).toBeGreaterThan(4 * MiB)
    expect(dry.sizeBytes + dry.keptBytes).toBe(content.length)
    expect(readFileSync(at).equals(before)).toBe(true)
    const { keptBytes, sizeBytes } = dry
    expect(await restore({ threads, verify: true })).toMatchObject({
      files: 1,
      patchedFiles: 1,
      keptBytes,
      sizeBytes,
      skipped: [],
    })
    expect(readFileSync(at).equals(content)).toBe(true)
    expect(lstatSync(at)).toMatchObject({ mtimeMs: 1_700_000_000_000 })
    expect(lstatSync(at).mode & 0o777).toBe(0o644)
    expect(readdirSync(dir.path)).toEqual(['file'])
    expect(await restore()).toMatchObject({ files: 0, unchangedFiles: 1, patchedFiles: 0 })
  }
})

test('a file with another name elsewhere, and one that is hardly right, are written anew', { timeout: 120_000 }, async () => {
  const { content, dir, at, restore, put } = await sample()
  using _dir = dir
  put((bytes) => void randomBytes(100).copy(bytes, 6 * MiB))
  const other = join(dir.path, 'other name')
  linkSync(at, other)
  const before = readFileSync(other)
  expect(await restore()).toMatchObject({ files: 1, patchedFiles: 0, keptBytes: 0 })
  expect(readFileSync(at).equals(content)).toBe(true)
  expect(readFileSync(other).equals(before)).toBe(true)
  put(() => randomBytes(9 * MiB))
  expect(await restore()).toMatchObject({ files: 1, patchedFiles: 0 })
  expect(readFileSync(at).equals(content)).toBe(true)
})

test('when what should be written is damaged, the file stays as it was', { timeout: 120_000 }, async () => {
  const { backend, repository, snapshot, dir, at, restore, put } = await sample()
  using _dir = dir
  put((bytes) => void randomBytes(100).copy(bytes, 9 * MiB - 200))
  const before = readFileSync(at)
  const [node] = await repository.readTree(snapshot.tree)
  const last = (await repository.loadIndex()).lookup('data', node?.content?.at(-1) ?? '')
  const pack = await backend.get('data', last?.pack ?? '')
  pack[(last?.offset ?? 0) + 100]! ^= 1
  await backend.put('data', last?.pack ?? '', pack)
  await expect(restore()).rejects.toMatchObject({ code: 'pack-damaged' })
  expect(await restore({ skipDamaged: true })).toMatchObject({ files: 0, skipped: [{ path: at }] })
  expect(readFileSync(at).equals(before)).toBe(true)
  expect(readdirSync(dir.path)).toEqual(['file'])
})

test('sparse leaves blocks of zeros out of new files, and the content is the same', { timeout: 120_000 }, async () => {
  using dir = folder()
  const repository = await memoryRepository()
  const block = 4096
  const content = Buffer.concat([
    Buffer.from('begin'),
    Buffer.alloc(50 * block),
    randomBytes(3 * block),
    Buffer.alloc(30 * block),
  ])
  const large = Buffer.concat([randomBytes(MiB), Buffer.alloc(300 * block), randomBytes(2 * MiB), Buffer.alloc(MiB + 5)])
  const zeros = Buffer.alloc(20 * block)
  const files = { content, large, zeros }
  const snapshot = await snapshotOf(repository, Object.entries(files))
  const room = async (sparse: boolean, threads: number) => {
    const target = join(dir.path, `${sparse} ${threads}`)
    await restoreSnapshot({ repository, snapshot, target, sparse, threads, verify: true, noLock: true }, () => {}, signal)
    for (const [name, bytes] of Object.entries(files)) expect(readFileSync(join(target, name)).equals(bytes)).toBe(true)
    return Object.keys(files).map((name) => statSync(join(target, name)).blocks * 512)
  }
  const [contentRoom = 0, largeRoom = 0, zerosRoom = 0] = await room(false, 0)
  for (const threads of [0, 2]) {
    const [sparseContent = 0, sparseLarge = 0, sparseZeros = 0] = await room(true, threads)
    expect(contentRoom - sparseContent).toBeGreaterThanOrEqual(70 * block)
    expect(largeRoom - sparseLarge).toBeGreaterThanOrEqual(100 * block)
    expect(zerosRoom - sparseZeros).toBeGreaterThanOrEqual(20 * block)
  }
})
