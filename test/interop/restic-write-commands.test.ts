import { chmodSync, closeSync, mkdirSync, openSync, readdirSync, readFileSync, readSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { BackupSummary, RestoreSummary } from '../../src/backup/index.ts'
import { holdfast } from '../support/holdfast.ts'
import { describeWith } from '../support/peers.ts'
import { sharedRepository, type SharedRepository } from '../support/restic.ts'
import { describeTree, sampleTree } from '../support/sample-tree.ts'

/** Runs the program on a repository, with its own state beside it. */
function program(shared: SharedRepository, extra: Readonly<Record<string, string>> = {}) {
  const env = { HOLDFAST_STATE_DIR: join(shared.folder, 'state'), ...extra }
  return (...args: string[]) =>
    holdfast(['--repo', shared.path, '--password-file', shared.passwordFile, ...args], { env, cwd: shared.folder })
}

describeWith('restic', 'holdfast backup and restore', (restic) => {
  test('what backup saves, restore brings back, to the byte and nanosecond, in another time zone too', async () => {
    using shared = sharedRepository(restic)
    mkdirSync(join(shared.folder, 'source'))
    await sampleTree(join(shared.folder, 'source'))
    const run = program(shared)
    expect(await run('init')).toMatchObject({ exitCode: 0 })
    const saved = await run('backup', 'source', '--tag', 'nightly', '--json')
    expect(saved.exitCode).toBe(0)
    const summary = saved.json<BackupSummary>()
    expect(summary).toMatchObject({ skipped: [], filesChanged: 0, filesUnmodified: 0 })

    const elsewhere = program(shared, { TZ: 'America/St_Johns' })
    const restored = await elsewhere('restore', 'latest:source', '--target', 'back', '--verify', '--tag', 'nightly', '--json')
    expect(restored.exitCode).toBe(0)
    expect(restored.json<RestoreSummary>()).toMatchObject({ snapshot: summary.snapshot, skipped: [] })
    expect(describeTree(join(shared.folder, 'back'))).toEqual(describeTree(join(shared.folder, 'source')))
    expect(await run('restore', 'latest', '--target', 'back')).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('is not empty') as string,
    })
    await shared.check()
  })

  // A zone whose offset had seconds at a file's time is none of these: restic's format cuts them off, and the instant with them.
  test.each(['Europe/Berlin', 'Asia/Kolkata', 'UTC'])('in the zone %s both write the same trees', async (zone) => {
    using shared = sharedRepository(restic)
    mkdirSync(join(shared.folder, 'source'))
    await sampleTree(join(shared.folder, 'source'))
    await shared.create()
    expect(await program(shared, { TZ: zone })('backup', 'source')).toMatchObject({ exitCode: 0 })
    const theirs = await shared.restic(['backup', '--json', 'source'], { cwd: shared.folder, env: { TZ: zone } })
    expect(JSON.parse(theirs.stdout.trim().split('\n').at(-1) ?? '')).toMatchObject({ tree_blobs: 0, data_blobs: 0 })
  })

  test('a backup that left something out ends with 3 and says what', async () => {
    using shared = sharedRepository(restic)
    writeFileSync(join(shared.folder, 'readable'), 'x')
    const run = program(shared)
    await run('init')
    const partly = await run('backup', 'readable', '/proc/self/mem')
    expect(partly).toMatchObject({ exitCode: 3, stderr: expect.stringContaining('skipped "/proc/self/mem"') as string })
    expect(partly.stdout).toContain('the snapshot is not complete')
    await shared.check()
  })

  test('a flipped bit in a pack is refused by restore and named; what is whole can be had', async () => {
    using shared = sharedRepository(restic)
    mkdirSync(join(shared.folder, 'source'))
    const run = program(shared)
    await run('init')
    // Two backups, two packs of content.
    writeFileSync(join(shared.folder, 'source/one'), 'first content '.repeat(100))
    await run('backup', 'source')
    writeFileSync(join(shared.folder, 'source/two'), 'second content '.repeat(100))
    await run('backup', 'source')
    const contentPack = await packOf(shared, 'one')
    flipBit(contentPack, 20)

    const failed = await run('restore', 'latest', '--target', 'back')
    expect(failed.exitCode).toBe(1)
    expect(failed.stderr).toContain(contentPack.split('/').at(-1)?.slice(0, 8))
    expect(failed.stderr).toContain('source/one')
    expect(readdirSync(shared.folder)).not.toContain('back')

    const partly = await run('restore', 'latest', '--target', 'back', '--skip-damaged', '--json')
    expect(partly.exitCode).toBe(3)
    expect(partly.json<RestoreSummary>()).toMatchObject({ files: 1, skipped: [{ path: join(shared.folder, 'back/source/one') }] })
    expect(readFileSync(join(shared.folder, 'back/source/two'), 'utf8')).toBe('second content '.repeat(100))
    expect(await shared.restic(['check', '--read-data'], { mayFail: true })).toMatchObject({ exitCode: 1 })
  })

  test('a wrong password and a path without a repository have exit codes of their own', async () => {
    using shared = sharedRepository(restic)
    const run = program(shared)
    expect(await run('backup', '.')).toMatchObject({ exitCode: 10 })
    await run('init')
    writeFileSync(shared.passwordFile, 'not it')
    expect(await run('backup', '.')).toMatchObject({ exitCode: 12 })
    expect(await run('backup')).toMatchObject({ exitCode: 2 })
  })
})

/** The path of the pack that holds the content of a file of this name. */
async function packOf(shared: SharedRepository, name: string): Promise<string> {
  await using repository = await shared.open()
  const { tree } = await repository.findSnapshot('latest')
  const [source] = await repository.readTree(tree)
  const nodes = await repository.readTree(source?.subtree ?? '')
  const file = nodes.find((node) => Buffer.from(node.name).toString() === name)
  const location = (await repository.loadIndex()).lookup('data', file?.content?.[0] ?? '')
  return join(shared.path, 'data', location?.pack.slice(0, 2) ?? '', location?.pack ?? '')
}

function flipBit(path: string, offset: number): void {
  chmodSync(path, 0o600)
  const file = openSync(path, 'r+')
  const byte = Buffer.alloc(1)
  readSync(file, byte, 0, 1, offset)
  writeSync(file, Buffer.of((byte[0] ?? 0) ^ 1), 0, 1, offset)
  closeSync(file)
}
