import { lstatSync, mkdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { runProcess } from '../../src/kernel/index.ts'
import { openLocalBackend } from '../../src/storage/index.ts'
import { holdfast, temporaryFolder } from '../support/holdfast.ts'
import { describeWith } from '../support/peers.ts'
import { sharedRepository, type SharedRepository } from '../support/restic.ts'
import { describeTree, sampleTree, type Described } from '../support/sample-tree.ts'
import { memoryRepository, snapshotOf } from '../support/snapshot-of.ts'
import { dump } from '../../src/backup/index.ts'

const { signal } = new AbortController()

/** A snapshot of restic's with everything that a file system has. */
async function sample(restic: string) {
  const shared = sharedRepository(restic)
  await (await shared.create())[Symbol.asyncDispose]()
  const source = join(shared.folder, 'source')
  mkdirSync(source)
  await sampleTree(source)
  await shared.restic(['backup', 'source'], { cwd: shared.folder })
  return { shared, source, run: program(shared) }
}

function program({ path, passwordFile, folder }: SharedRepository) {
  return (...args: string[]) => holdfast(['--repo', path, '--password-file', passwordFile, ...args], { cwd: folder })
}

async function sh(command: string, cwd: string): Promise<string> {
  const { exitCode, stdout, stderr } = await runProcess('sh', ['-c', command], { cwd })
  if (exitCode !== 0) throw new Error(`${command}: ${stderr}`)
  return stdout
}

describeWith('restic', 'dumping beside restic', (restic) => {
  test('a file comes as it is, on stdout and as a file', async () => {
    const { shared, source, run } = await sample(restic)
    using _shared = shared
    expect(await run('dump', 'latest', '/source/random', '--output', 'one')).toMatchObject({ exitCode: 0 })
    expect(readFileSync(join(shared.folder, 'one')).equals(readFileSync(join(source, 'random')))).toBe(true)
    expect((await run('dump', 'latest:/source/deep', 'er/est/text')).stdout).toBe('some text\n'.repeat(1000))
    expect((await run('dump', 'latest', '/source/nothing')).stdout).toBe('')
    expect(await run('dump', 'latest', '/source/missing')).toMatchObject({ exitCode: 1 })
    expect(await run('dump', 'latest', '/source/link')).toMatchObject({ exitCode: 2 })
  })

  test('tar unpacks a folder with its names, modes, owners, links and times to the nanosecond, as from a tar of restic’s', async () => {
    const { shared, source, run } = await sample(restic)
    using _shared = shared
    const result = await run('dump', 'latest', '/source', '--output', 'ours.tar', '--json')
    expect(result).toMatchObject({ exitCode: 0 })
    for (const folder of ['ours', 'theirs']) mkdirSync(join(shared.folder, folder))
    await sh('tar -xpf ours.tar -C ours', shared.folder)
    expect(describeTree(join(shared.folder, 'ours/source'))).toEqual(describeTree(source))
    expect(lstatSync(join(shared.folder, 'ours/source')).mode).toBe(lstatSync(source).mode)
    await sh(
      `${restic} --no-cache --repo ${shared.path} --password-file ${shared.passwordFile} dump latest /source | tar -xpf - -C theirs`,
      shared.folder,
    )
    const content = (folder: string) =>
      describeTree(join(shared.folder, folder))
        // Of which restic 0.14 makes empty files.
        .filter(({ path }) => !/(fifo|null)$/.test(path))
        .map(({ path, content, target }: Described) => ({ path, content, target }))
    expect(content('ours')).toEqual(content('theirs'))
    const everything = await run('dump', 'latest', '/', '--output', 'all.tar')
    expect(everything.exitCode).toBe(0)
    expect(await sh('tar -tf all.tar source/deep', shared.folder)).toContain('source/deep/er/est/text\n')
  })

  test('a damaged pack leaves no file behind, and says which pack', async () => {
    const { shared, run } = await sample(restic)
    using _shared = shared
    await using repository = await shared.open()
    const { tree } = await repository.findSnapshot('latest')
    const [source] = await repository.readTree(tree)
    const random = (await repository.readTree(source?.subtree ?? '')).find(({ name }) => name.toString() === 'random')
    const place = (await repository.loadIndex()).lookup('data', random?.content?.[0] ?? '')
    if (place === undefined) throw new Error('the content is nowhere')
    await using backend = await openLocalBackend(shared.path)
    const bytes = Buffer.from(await backend.get('data', place.pack))
    bytes[place.offset + 100] = (bytes[place.offset + 100] ?? 0) ^ 1
    await backend.delete('data', place.pack)
    await backend.put('data', place.pack, bytes)
    const { exitCode, stderr } = await run('dump', 'latest', '/source', '--output', 'ours.tar')
    expect(exitCode).toBe(1)
    expect(stderr).toContain(place.pack.slice(0, 8))
    expect(await sh('ls', shared.folder)).not.toContain('ours.tar')
  })
})

describeWith('unzip', 'a zip archive', (unzip) => {
  test('unpacks with names, modes, symbolic links and times; what zip cannot say is told', async () => {
    await using folder = await temporaryFolder('zip')
    const repository = await memoryRepository()
    const mtime = 1_600_000_002_000_000_000n
    const snapshot = await snapshotOf(repository, [
      ['data/text', 'some text'],
      ['data/empty', ''],
      ['data/ümlaut', 'u'],
      ['data/run', { mode: 0o755, mtime, content: [] }],
      ['data/before 1980', { mtime: -1n, content: [] }],
      ['data/link', { type: 'symlink', mode: 0o777, linkTarget: Buffer.from('text') }],
      ['data/pipe', { type: 'fifo', mode: 0o644 }],
      [Buffer.concat([Buffer.from('data/'), Buffer.from([0x66, 0xff])]), 'raw'],
      ['data/back\\slash', 'b'],
    ])
    const out = join(folder.path, 'data.zip')
    const { skipped, ...counted } = await dump({ repository, snapshot, path: '/data', archive: 'zip' }, out, signal)
    expect(counted).toEqual({ files: 7, folders: 1, others: 1, sizeBytes: 14 })
    expect(skipped.map(({ reason }) => reason)).toEqual([
      expect.stringContaining('data/back%5Cslash'),
      expect.stringContaining('data/f%FF'),
      expect.stringContaining('fifo'),
    ])
    await sh(`${unzip} -q data.zip -d back`, folder.path)
    const back = (name: string) => join(folder.path, 'back/data', name)
    expect(readFileSync(back('text'), 'utf8')).toBe('some text')
    expect(readFileSync(back('ümlaut'), 'utf8')).toBe('u')
    expect(readFileSync(back('f%FF'), 'utf8')).toBe('raw')
    expect(readlinkSync(back('link'))).toBe('text')
    const run = lstatSync(back('run'))
    expect(run.mode & 0o777).toBe(0o755)
    expect(run.mtimeMs).toBe(1_600_000_002_000)
  })
})

describe('a tar archive', () => {
  test('carries names and numbers that do not fit its headers', async () => {
    await using folder = await temporaryFolder('tar')
    const repository = await memoryRepository()
    const long = Buffer.concat([Buffer.from(`data/${'x'.repeat(200)}`), Buffer.from([0xff, 0x0a])])
    const numbers = { uid: 3_000_000, gid: 4_000_000_000, user: 'u'.repeat(40), inode: 2n ** 63n, links: 1n }
    const snapshot = await snapshotOf(repository, [
      [long, 'raw'],
      ['data/far', { ...numbers, mtime: 2n ** 33n * 1_000_000_000n + 1n, content: [] }],
      ['data/long link', { type: 'symlink', mode: 0o777, linkTarget: Buffer.from('y'.repeat(300)) }],
      ['data/before', { mtime: -1_234_567_890_123_456_789n, content: [] }],
    ])
    await dump({ repository, snapshot, path: '/', archive: 'tar' }, join(folder.path, 'a.tar'), signal)
    await sh('tar -xf a.tar --no-same-owner', folder.path)
    expect(describeTree(folder.path).map(({ path, mtimeNs, target }) => ({ path, mtimeNs, target }))).toEqual(
      expect.arrayContaining([
        { path: long.toString('latin1'), mtimeNs: 1_700_000_000_000_000_000n, target: undefined },
        { path: 'data/far', mtimeNs: 2n ** 33n * 1_000_000_000n + 1n, target: undefined },
        { path: 'data/long link', mtimeNs: expect.any(BigInt), target: 'y'.repeat(300) },
        { path: 'data/before', mtimeNs: -1_234_567_890_123_456_789n, target: undefined },
      ]),
    )
    expect(await sh('tar --numeric-owner -tvf a.tar data/far', folder.path)).toContain('3000000/4000000000')
  })

  test('an existing file is replaced when the dump is whole, and kept when it fails', async () => {
    await using folder = await temporaryFolder('tar')
    const out = join(folder.path, 'out')
    writeFileSync(out, 'before')
    const repository = await memoryRepository()
    const snapshot = await snapshotOf(repository, [
      ['wrong', { size: 5n, content: [] }],
      ['right', 'right'],
    ])
    await expect(dump({ repository, snapshot, path: 'wrong' }, out, signal)).rejects.toMatchObject({ code: 'object-damaged' })
    expect(readFileSync(out, 'utf8')).toBe('before')
    await dump({ repository, snapshot, path: 'right' }, out, signal)
    expect(readFileSync(out, 'utf8')).toBe('right')
    expect(describeTree(folder.path)).toHaveLength(1)
  })
})
