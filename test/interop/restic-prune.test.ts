import { randomBytes } from 'node:crypto'
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { backup, forget, prune, restoreSnapshot, type PruneJob, type PruneReport } from '../../src/backup/index.ts'
import type { Repository } from '../../src/repository/index.ts'
import { createFilesSource } from '../../src/sources/index.ts'
import { holdfast } from '../support/holdfast.ts'
import { describeWith } from '../support/peers.ts'
import { sharedRepository, type SharedRepository } from '../support/restic.ts'
import { describeTree } from '../support/sample-tree.ts'

const { signal } = new AbortController()
const MiB = 1024 ** 2
const keepLast = { counts: { last: 1 } }

function pruneNow(repository: Repository, options: Omit<PruneJob, 'repository'> = {}): Promise<PruneReport> {
  return prune({ repository, ...options }, () => {}, signal)
}

function backUp(repository: Repository, source: string, packBytes?: number) {
  const files = createFilesSource({ paths: [source] })
  return backup({ repository, source: files, ...(packBytes !== undefined && { writer: { packBytes } }) }, () => {}, signal)
}

/** Files of which each round changes some: packs come to be used in part. */
function writeRound(source: string, round: number): void {
  mkdirSync(source, { recursive: true })
  for (let file = 0; file < 12; file++)
    if (round === 0 || file % 4 === round % 4) writeFileSync(join(source, `file ${file}`), randomBytes(200_000 + file * 10_000))
  mkdirSync(join(source, `folder ${round}`))
  for (let file = 0; file < 20; file++) writeFileSync(join(source, `folder ${round}`, `${file}`), `small ${round} ${file}`)
  if (round > 1) rmSync(join(source, `folder ${round - 2}`), { recursive: true })
}

/** Several states, each from one of the programs; only the last is kept, once by rules. */
async function usedInPart(shared: SharedRepository, repository: Repository): Promise<string> {
  const source = join(shared.folder, 'source')
  for (let round = 0; round < 6; round++) {
    writeRound(source, round)
    if (round % 2 === 0) await backUp(repository, source, MiB)
    else await shared.restic(['backup', source])
  }
  await forget({ repository, rules: keepLast }, signal)
  return source
}

/** restic finds no fault, and either program brings the last state back. */
async function expectWhole(shared: SharedRepository, source: string): Promise<void> {
  await shared.check()
  // Another process may have pruned: nothing that was loaded before counts.
  await using repository = await shared.open()
  const back = join(shared.folder, `back ${readdirSync(shared.folder).length}`)
  await restoreSnapshot(
    { repository, snapshot: await repository.findSnapshot('latest'), target: back, subtree: source },
    () => {},
    signal,
  )
  expect(describeTree(back)).toEqual(describeTree(source))
  const theirs = `${back} by restic`
  await shared.restic(['restore', 'latest', '--target', theirs])
  expect(describeTree(join(theirs, source))).toEqual(describeTree(source))
}

function packsOf(path: string): string[] {
  return readdirSync(join(path, 'data'), { recursive: true, withFileTypes: true }).flatMap((entry) =>
    entry.isFile() ? [entry.name] : [],
  )
}

describeWith('restic', 'prune', (restic) => {
  test('frees all that is unused; restic then finds nothing wrong and nothing to prune, and restores every byte', async () => {
    using shared = sharedRepository(restic)
    await using repository = await shared.create()
    const source = await usedInPart(shared, repository)
    const before = packsOf(shared.path)
    const planned = await pruneNow(repository, { maxUnused: { bytes: 0 }, dryRun: true })
    expect(packsOf(shared.path)).toEqual(before)
    const report = await pruneNow(repository, { maxUnused: { bytes: 0 } })
    expect(report).toMatchObject({ unusedAfterBytes: 0, lostPacks: [], unindexedPacks: { count: 0 } })
    expect(report.repackedPacks.count).toBeGreaterThan(0)
    expect(report.removedPacks.count).toBeGreaterThan(0)
    expect(report).toMatchObject({ moved: planned.moved, removedPacks: planned.removedPacks, used: planned.used })

    await expectWhole(shared, source)
    const { stdout } = await shared.restic(['prune', '--dry-run', '--max-unused', '0'])
    expect(stdout).toMatch(/total prune: +0 blobs/)
    expect(stdout).toMatch(/to repack: +0 blobs/)
    expect(await pruneNow(repository, { maxUnused: { bytes: 0 } })).toMatchObject({ freedBytes: 0, indexesWritten: 0 })
  })

  test('leaves as much unused as it may, and moves no more than it is told to', async () => {
    using shared = sharedRepository(restic)
    await using repository = await shared.create()
    const source = await usedInPart(shared, repository)
    const cautious = await pruneNow(repository, { maxRepackBytes: 0 })
    expect(cautious.repackedPacks.count).toBe(0)
    await shared.check()
    const half = await pruneNow(repository, { maxUnused: { percent: 20 } })
    expect(half.unusedAfterBytes).toBeLessThanOrEqual(0.2 * (half.used.bytes + half.unusedAfterBytes))
    await expectWhole(shared, source)
  })

  test('agrees with restic on what is used and what is not', async () => {
    using shared = sharedRepository(restic)
    await using repository = await shared.create()
    await usedInPart(shared, repository)
    const { stdout } = await shared.restic(['prune', '--dry-run', '--verbose=2', '--max-unused', 'unlimited'])
    const figure = (name: string) => Number(new RegExp(`${name}: +(\\d+) blobs`).exec(stdout)?.[1])
    const report = await pruneNow(repository, { dryRun: true, maxUnused: { bytes: Infinity } })
    expect(report.used.count).toBe(figure('used'))
    expect(report.unused.count).toBe(figure('unused') + (Number.isNaN(figure('duplicates')) ? 0 : figure('duplicates')))
  })

  test('of blobs that are stored several times one place stays, and packs that no index names go', async () => {
    using shared = sharedRepository(restic)
    await using repository = await shared.create()
    const source = join(shared.folder, 'source')
    writeRound(source, 0)
    await backUp(repository, source)
    // As if a second backup had run at the same time: everything once more, in packs of its own.
    const names = await Array.fromAsync(repository.backend.list('index'))
    await using copier = await repository.createCopier(repository)
    for (const { name } of names)
      for (const { id, blobs } of await repository.readIndex(name)) await copier.copy(id, blobs, () => {}, signal)
    await copier.flush()
    // And as if a third had been killed.
    const residue = randomBytes(5000)
    const { createHash } = await import('node:crypto')
    await repository.backend.put('data', createHash('sha256').update(residue).digest('hex'), residue)

    const report = await pruneNow(repository, { maxUnused: { bytes: 0 } })
    expect(report).toMatchObject({ unindexedPacks: { count: 1, bytes: 5000 }, unused: { count: report.used.count } })
    await expectWhole(shared, source)
    expect((await shared.restic(['prune', '--dry-run', '--max-unused', '0'])).stdout).toMatch(/total prune: +0 blobs/)
  })

  test('without any snapshot it deletes everything only when told so', async () => {
    using shared = sharedRepository(restic)
    await using repository = await shared.create()
    const source = join(shared.folder, 'source')
    writeRound(source, 0)
    const { snapshot = '' } = await backUp(repository, source)
    await repository.forgetSnapshot(snapshot)
    await expect(pruneNow(repository)).rejects.toMatchObject({ code: 'would-remove-all' })
    expect(packsOf(shared.path).length).toBeGreaterThan(0)
    expect(await pruneNow(repository, { allowRemoveAll: true })).toMatchObject({ used: { count: 0 }, unusedAfterBytes: 0 })
    expect(packsOf(shared.path)).toEqual([])
    await shared.check()
    await backUp(repository, source)
    await expectWhole(shared, source)
  })

  test('after restic’s prune ours has nothing to do', async () => {
    using shared = sharedRepository(restic)
    await using repository = await shared.create()
    await usedInPart(shared, repository)
    await shared.restic(['prune', '--max-unused', '0'])
    expect(await pruneNow(repository, { maxUnused: { bytes: 0 } })).toMatchObject({
      freedBytes: 0,
      removedPacks: { count: 0 },
      repackedPacks: { count: 0 },
    })
  })

  test('forget --prune does both, and its dry run says beforehand what will be freed', async () => {
    using shared = sharedRepository(restic)
    await using repository = await shared.create()
    const source = join(shared.folder, 'source')
    for (let round = 0; round < 3; round++) {
      writeRound(source, round)
      await backUp(repository, source, MiB)
    }
    const run = (...args: string[]) =>
      holdfast(['--repo', shared.path, '--password-file', shared.passwordFile, '--json', 'forget', ...args])
    const all = ['--keep-last', '1', '--prune', '--max-unused', '0']
    type Result = { removed: string[]; prune: PruneReport }
    const planned = (await run(...all, '--dry-run')).json<Result>()
    expect(planned.removed).toHaveLength(2)
    expect(await repository.snapshotIds()).toHaveLength(3)
    const done = (await run(...all)).json<Result>()
    expect(done).toMatchObject({ removed: planned.removed, prune: { moved: planned.prune.moved, unusedAfterBytes: 0 } })
    expect(done.prune.freedBytes).toBeGreaterThan(MiB)
    await expectWhole(shared, source)
  })

  test('beside restic, which backs up all the while, forgets and prunes lose nothing', async () => {
    using shared = sharedRepository(restic)
    const source = join(shared.folder, 'source')
    await using repository = await shared.create()
    writeRound(source, 0)
    await backUp(repository, source, MiB)
    let backups = 0
    let lockedOut = 0
    let prunes = 0
    const restics = (async () => {
      for (let round = 1; round < 200; round++) {
        writeRound(source, round)
        // Whoever comes within the short phase of deleting finds the repository locked, and tries again.
        const { exitCode, stderr } = await shared.restic(['backup', source], { mayFail: true })
        if (exitCode === 0) {
          backups++
          // Not before: what is compared at the end is what the last backup saw.
          if (backups >= 5 && prunes >= 3) return
        } else if (/locked/.test(stderr)) lockedOut++
        else throw new Error(stderr)
      }
    })()
    const over = new AbortController()
    void restics.finally(() => over.abort()).catch(() => {})
    while (!over.signal.aborted) {
      await forget({ repository, rules: { counts: { last: 2 } }, retryLockMs: 60_000 }, signal)
      await pruneNow(repository, { maxUnused: { bytes: 0 }, retryLockMs: 60_000 })
      prunes++
    }
    await restics
    console.log(`${backups} backups of restic, ${lockedOut} found it locked, beside ${prunes} prunes`)
    expect(backups).toBeGreaterThanOrEqual(5)
    expect(prunes).toBeGreaterThanOrEqual(3)
    await expectWhole(shared, source)
  })
})
