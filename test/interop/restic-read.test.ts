import { spawn } from 'node:child_process'
import { chmodSync, copyFileSync, mkdirSync, readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { checkRepository, listTree } from '../../src/backup/index.ts'
import { sha256Hex } from '../../src/kernel/index.ts'
import { encodeTree, type Repository } from '../../src/repository/index.ts'
import { decodeKeyFile } from '../../src/repository/key-file.ts'
import { sealKeys } from '../../src/repository/seal.ts'
import { encodeUnpacked } from '../../src/repository/unpacked.ts'
import { describeWith } from '../support/peers.ts'
import { sharedRepository, testPassword } from '../support/restic.ts'
import { describeTree, sampleTree } from '../support/sample-tree.ts'

const signal = new AbortController().signal

async function check(repository: Repository, readData = true) {
  return checkRepository({ repository, readData }, () => {}, signal)
}

/** The largest pack: one of data. */
function largestPack(path: string): { id: string; file: string } {
  const files = readdirSync(join(path, 'data'), { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
  const [largest] = files
    .map(({ name, parentPath }) => ({ id: name, file: join(parentPath, name) }))
    .toSorted((a, b) => statSync(b.file).size - statSync(a.file).size)
  if (largest === undefined) throw new Error('there is no pack')
  chmodSync(largest.file, 0o600)
  return largest
}

function flipBit(file: string, at: number): void {
  const bytes = readFileSync(file)
  bytes[at] = (bytes[at] ?? 0) ^ 1
  writeFileSync(file, bytes)
}

describeWith('restic', 'reading and checking beside restic', (restic) => {
  test('restic accepts a repository that we made: its config, its snapshots, its check', async () => {
    using shared = sharedRepository(restic)
    await using repository = await shared.create()
    const config = JSON.parse((await shared.restic(['cat', 'config'])).stdout) as Record<string, unknown>
    expect(config).toEqual({
      version: 2,
      id: repository.id,
      chunker_polynomial: repository.config.chunkerPolynomial.toString(16),
    })
    expect(JSON.parse((await shared.restic(['snapshots', '--json'])).stdout)).toEqual([])
    await shared.check()
    const key = JSON.parse((await shared.restic(['key', 'list', '--json'])).stdout) as unknown[]
    expect(key).toHaveLength(1)
  })

  test('a password that restic added opens the repository, and the one it removed does not', async () => {
    using shared = sharedRepository(restic)
    await shared.create()
    const second = join(shared.folder, 'second')
    writeFileSync(second, 'another one')
    await shared.restic(['key', 'add', '--new-password-file', second])
    copyFileSync(second, shared.passwordFile)
    const { openLocalBackend } = await import('../../src/storage/index.ts')
    const { openRepository } = await import('../../src/repository/index.ts')
    await using repository = await openRepository(await openLocalBackend(shared.path), 'another one')
    const keys = await Array.fromAsync(repository.backend.list('keys'))
    expect(keys).toHaveLength(2)
    await expect(openRepository(await openLocalBackend(shared.path), 'a third')).rejects.toMatchObject({ code: 'wrong-password' })
  })

  test("we list restic's snapshots and all that is in them, find no fault, and would write every tree with the same bytes", async () => {
    using shared = sharedRepository(restic)
    const source = join(shared.folder, 'source')
    mkdirSync(source)
    await sampleTree(source)
    await shared.create()
    await shared.restic(['backup', '--host', 'elsewhere', '--tag', 'a,b', '--exclude', '*.none', 'source'], {
      cwd: shared.folder,
    })
    await using repository = await shared.open()
    const [snapshot] = await repository.snapshots()
    const [theirs] = JSON.parse((await shared.restic(['snapshots', '--json'])).stdout) as Record<string, unknown>[]
    expect(snapshot).toMatchObject({
      id: theirs?.id,
      time: theirs?.time,
      tree: theirs?.tree,
      paths: [source],
      hostname: 'elsewhere',
      tags: ['a', 'b'],
      excludes: ['*.none'],
    })
    if (snapshot === undefined) throw new Error('there is no snapshot')
    const listed = await Array.fromAsync(listTree({ repository, snapshot, path: 'source' }), ({ path }) =>
      path.toString('latin1'),
    )
    expect(listed.slice(1)).toEqual(describeTree(source).map(({ path }) => `/source/${path}`))
    expect(await check(repository)).toMatchObject({ ok: true, findings: [], snapshots: 1 })
    const trees = [...(await repository.loadIndex()).entries()].filter(({ type }) => type === 'tree')
    expect(trees.length).toBeGreaterThan(5)
    for (const { id } of trees) {
      const stored = await repository.readBlob('tree', id)
      expect(encodeTree(await repository.readTree(id)).toString()).toBe(Buffer.from(stored).toString())
    }
  })

  test('repositories of format version 1 are read and checked, and not written to', async () => {
    using shared = sharedRepository(restic)
    const source = join(shared.folder, 'source')
    mkdirSync(source)
    await sampleTree(source)
    await shared.restic(['init', '--repository-version', '1'])
    await shared.restic(['backup', source])
    await using repository = await shared.open()
    expect(repository.config.version).toBe(1)
    expect(await check(repository)).toMatchObject({ ok: true, snapshots: 1 })
    await expect(repository.createWriter()).rejects.toMatchObject({ code: 'unsupported-repository' })
    await shared.check()
  })

  test('a flipped bit in a pack of restic’s is found by both, and we name pack and snapshot; a truncated one is found without reading', async () => {
    using shared = sharedRepository(restic)
    const source = join(shared.folder, 'source')
    mkdirSync(source)
    await sampleTree(source)
    await shared.create()
    await shared.restic(['backup', 'source'], { cwd: shared.folder })
    const pack = largestPack(shared.path)
    flipBit(pack.file, 1000)
    await using repository = await shared.open()
    const [snapshot] = await repository.snapshotIds()
    expect(await check(repository, false)).toMatchObject({ ok: true })
    const { ok, findings } = await check(repository)
    expect(ok).toBe(false)
    expect(findings).toMatchObject([{ code: 'pack-damaged', pack: pack.id, blobs: [expect.any(String)], snapshots: [snapshot] }])
    expect(findings).toMatchObject([{ paths: expect.arrayContaining([expect.stringMatching(/^\/source\//)]) }])
    expect((await shared.restic(['check', '--read-data'], { mayFail: true })).exitCode).not.toBe(0)
    truncateSync(pack.file, statSync(pack.file).size - 1)
    expect((await check(repository, false)).findings).toMatchObject([{ code: 'pack-size', pack: pack.id }])
  })

  test('restic respects our locks: shared ones let it back up and not prune, an exclusive one lets it do nothing', async () => {
    using shared = sharedRepository(restic)
    await using repository = await shared.create()
    const file = join(shared.folder, 'file')
    writeFileSync(file, 'content')
    {
      await using _lock = await repository.lock('shared')
      await shared.restic(['backup', file])
      const prune = await shared.restic(['prune'], { mayFail: true })
      expect(prune.exitCode).not.toBe(0)
      expect(prune.stderr).toContain(`PID ${process.pid}`)
    }
    {
      await using _lock = await repository.lock('exclusive')
      const backup = await shared.restic(['backup', file], { mayFail: true })
      expect(backup.exitCode).not.toBe(0)
      expect(backup.stderr).toContain('locked exclusively')
    }
    await shared.restic(['prune'])
    expect(await Array.fromAsync(repository.backend.list('locks'))).toEqual([])
  })

  test("we respect restic's locks while it works, and say that a stale one can be removed when it was killed", async () => {
    using shared = sharedRepository(restic)
    await using repository = await shared.create()
    // It keeps its lock for as long as its input does not end.
    const args = ['--repo', shared.path, '--password-file', shared.passwordFile, '--no-cache', 'backup', '--stdin']
    const working = spawn(restic, args, { stdio: ['pipe', 'ignore', 'ignore'] })
    const ended = new Promise((resolve) => working.once('close', resolve))
    try {
      while ((await repository.locks()).length === 0) await new Promise((resolve) => setTimeout(resolve, 20))
      const [lock] = await repository.locks()
      expect(lock).toMatchObject({ stale: false, info: { exclusive: false, pid: working.pid } })
      await (await repository.lock('shared'))[Symbol.asyncDispose]()
      await expect(repository.lock('exclusive')).rejects.toMatchObject({
        code: 'locked',
        exitCode: 11,
        details: { stale: false },
      })
      expect(await repository.unlock()).toEqual([])
    } finally {
      working.kill('SIGKILL')
      await ended
    }
    await expect(repository.lock('exclusive')).rejects.toMatchObject({
      code: 'locked',
      hint: expect.stringContaining('holdfast unlock'),
      details: { stale: true },
    })
    expect(await repository.unlock()).toMatchObject([{ info: { pid: working.pid } }])
    await using lock = await repository.lock('exclusive')
    expect(lock.signal.aborted).toBe(false)
  })

  test('a lock of another machine blocks restic and us even when it is hours old, until our unlock removes it', async () => {
    using shared = sharedRepository(restic)
    await using repository = await shared.create()
    const [key = ''] = readdirSync(join(shared.path, 'keys'))
    const master = await decodeKeyFile(readFileSync(join(shared.path, 'keys', key)), testPassword, 'the key')
    if (master === undefined) throw new Error('the key does not open')
    const time = new Date(Date.now() - 2 * 3_600_000).toISOString()
    const foreign = { time, exclusive: true, hostname: 'far-away', username: 'somebody', pid: 1 }
    const stored = encodeUnpacked(sealKeys(master), Buffer.from(JSON.stringify(foreign)), 2)
    await repository.backend.put('locks', sha256Hex(stored), stored)
    await expect(repository.lock('shared')).rejects.toMatchObject({
      code: 'locked',
      message: expect.stringContaining('somebody@far-away'),
      details: { stale: true },
    })
    const refused = await shared.restic(['backup', shared.passwordFile], { mayFail: true })
    expect(refused.stderr).toContain('on far-away by somebody')
    expect(await repository.unlock()).toHaveLength(1)
    await shared.restic(['backup', shared.passwordFile])
  })

  test('restic unlock --remove-all takes our lock away, and restic unlock does not', async () => {
    using shared = sharedRepository(restic)
    await using repository = await shared.create()
    await using _lock = await repository.lock('exclusive')
    await shared.restic(['unlock'])
    expect(await repository.locks()).toHaveLength(1)
    await shared.restic(['unlock', '--remove-all'])
    expect(await repository.locks()).toEqual([])
  })
})
