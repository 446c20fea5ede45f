import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import { backup, restoreSnapshot, type BackupJob } from '../../src/backup/index.ts'
import type { Repository } from '../../src/repository/index.ts'
import { createFilesSource } from '../../src/sources/index.ts'
import { describeWith } from '../support/peers.ts'
import { sharedRepository } from '../support/restic.ts'
import { describeTree, sampleTree } from '../support/sample-tree.ts'

const { signal } = new AbortController()

/**
 * Backs a folder up by its name alone: what leads to an absolute path is part of a snapshot, and the system's temporary folder changes
 * all the time.
 */
function backUp(repository: Repository, path: string, options: Partial<BackupJob> = {}) {
  const source = createFilesSource({ paths: [basename(path)], workingDirectory: dirname(path) })
  return backup({ repository, source, ...options }, () => {}, signal)
}

async function restoreLatest(repository: Repository, target: string, subtree = 'source') {
  const snapshot = await repository.findSnapshot('latest')
  return restoreSnapshot({ repository, snapshot, target, subtree }, () => {}, signal)
}

/** What restic says at the end of a backup with --json. */
interface ResticSummary {
  readonly files_new: number
  readonly files_unmodified: number
  readonly data_blobs: number
  readonly tree_blobs: number
  readonly snapshot_id: string
}

describeWith('restic', 'what we write, restic reads; what restic writes, we read', (restic) => {
  test('restic finds no fault in our repository, and restores it byte for byte with its metadata', async () => {
    using shared = sharedRepository(restic)
    const source = join(shared.folder, 'source')
    mkdirSync(source)
    await sampleTree(source)
    await using repository = await shared.create()
    const absolute = createFilesSource({ paths: [source] })
    const summary = await backup({ repository, source: absolute }, () => {}, signal)
    expect(summary.skipped).toEqual([])

    await shared.check()
    await shared.restic(['restore', 'latest', '--target', join(shared.folder, 'back')])
    expect(describeTree(join(shared.folder, 'back', source))).toEqual(describeTree(source))
  })

  test('we restore what we wrote byte for byte with its metadata, link targets that are not UTF-8 too', async () => {
    using shared = sharedRepository(restic)
    const source = join(shared.folder, 'source')
    mkdirSync(source)
    await sampleTree(source, { rawLinkTargets: true })
    await using repository = await shared.create()
    await backUp(repository, source)
    const target = join(shared.folder, 'back')
    const restored = await restoreLatest(repository, target)
    expect(describeTree(target)).toEqual(describeTree(source))
    expect(restored.skipped).toEqual([])
    await shared.check()
  })

  test('we restore what restic wrote byte for byte with its metadata', async () => {
    using shared = sharedRepository(restic)
    const source = join(shared.folder, 'source')
    mkdirSync(source)
    await sampleTree(source)
    await shared.restic(['init'])
    await shared.restic(['backup', 'source'], { cwd: shared.folder })
    await using repository = await shared.open()
    const target = join(shared.folder, 'back')
    await restoreLatest(repository, target)
    expect(describeTree(target)).toEqual(describeTree(source))
  })

  test('after our backup, restic has nothing to add, and takes our snapshot as parent', async () => {
    using shared = sharedRepository(restic)
    const source = join(shared.folder, 'source')
    mkdirSync(source)
    await sampleTree(source)
    await using repository = await shared.create()
    const ours = await backUp(repository, source)
    const resticRun = async (...options: string[]) => {
      const { stdout } = await shared.restic(['backup', '--json', ...options, 'source'], { cwd: shared.folder })
      return JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as ResticSummary
    }
    expect(await resticRun()).toMatchObject({
      data_blobs: 0,
      tree_blobs: 0,
      files_new: 0,
      files_unmodified: ours.totalFilesProcessed,
    })
    // Reading everything again finds the same chunks.
    expect(await resticRun('--force')).toMatchObject({ data_blobs: 0, tree_blobs: 0, files_new: ours.totalFilesProcessed })
  })

  test('after restic’s backup, we have nothing to add, and take its snapshot as parent', async () => {
    using shared = sharedRepository(restic)
    const source = join(shared.folder, 'source')
    mkdirSync(source)
    await sampleTree(source)
    await using repository = await shared.create()
    await shared.restic(['backup', 'source'], { cwd: shared.folder })
    const nothing = { dataBlobs: 0, treeBlobs: 0, addedBytes: 0 }
    expect(await backUp(repository, source)).toMatchObject({ ...nothing, bytesRead: 0, filesNew: 0, filesChanged: 0 })
    expect(await backUp(repository, source, { force: true })).toMatchObject(nothing)
    await shared.check()
  })

  test('both write in turns, and every snapshot comes back from either', async () => {
    using shared = sharedRepository(restic)
    const source = join(shared.folder, 'source')
    mkdirSync(source)
    await using repository = await shared.create()
    const states = []
    for (let round = 0; round < 4; round++) {
      writeFileSync(join(source, `file ${round}`), `content of round ${round}\n`.repeat(10_000 * round + 1))
      if (round === 2) rmSync(join(source, 'file 0'))
      states.push(describeTree(source))
      if (round % 2 === 0) await backUp(repository, source)
      else await shared.restic(['backup', 'source'], { cwd: shared.folder })
    }
    await shared.check()
    const snapshots = await repository.snapshots()
    expect(snapshots.map(({ parent }) => parent)).toEqual([undefined, ...snapshots.slice(0, -1).map(({ id }) => id)])
    for (const [round, snapshot] of snapshots.entries()) {
      const target = join(shared.folder, `ours ${round}`)
      await restoreSnapshot({ repository, snapshot, target, subtree: 'source' }, () => {}, signal)
      expect(describeTree(target)).toEqual(states[round])
      await shared.restic(['restore', snapshot.id, '--target', join(shared.folder, `restic ${round}`)])
      expect(describeTree(join(shared.folder, `restic ${round}`, 'source'))).toEqual(states[round])
    }
  })

  test('restic lists our snapshot as it lists its own', async () => {
    using shared = sharedRepository(restic)
    const source = join(shared.folder, 'source')
    mkdirSync(source)
    await sampleTree(source)
    await using repository = await shared.create()
    await backUp(repository, source)
    await shared.restic(['backup', 'source'], { cwd: shared.folder })
    const [ours, theirs] = await repository.snapshots()
    const listing = async (id = '') => (await shared.restic(['ls', '--long', id])).stdout.split('\n').slice(1).toSorted()
    expect((await listing(ours?.id)).length).toBeGreaterThan(30)
    expect(await listing(ours?.id)).toEqual(await listing(theirs?.id))
    expect(ours?.tree).toBe(theirs?.tree)
  })

  test('relative paths, several targets and files as targets give restic’s tree', async () => {
    using shared = sharedRepository(restic)
    const source = join(shared.folder, 'source')
    mkdirSync(join(source, 'sub/inner'), { recursive: true })
    mkdirSync(join(source, 'other'))
    for (const name of ['a', 'sub/b', 'sub/inner/c', 'other/d']) writeFileSync(join(source, name), name)
    await using repository = await shared.create()
    const targets = [['.'], ['sub/inner', 'other'], ['a', 'sub/b'], ['./sub/../sub/', 'sub/b']]
    for (const paths of targets) {
      const files = createFilesSource({ paths, workingDirectory: source })
      await backup({ repository, source: files }, () => {}, signal)
      await shared.restic(['backup', ...paths], { cwd: source })
      const [ours, theirs] = (await repository.snapshots()).slice(-2)
      expect(theirs?.tree).toBe(ours?.tree)
      expect(theirs?.paths.toSorted()).toEqual(ours?.paths.toSorted())
      expect(theirs?.parent).toBe(ours?.id)
    }
  })

  test('what --exclude leaves out is what restic leaves out', async () => {
    using shared = sharedRepository(restic)
    const source = join(shared.folder, 'source')
    mkdirSync(join(source, 'cache/thumbs'), { recursive: true })
    mkdirSync(join(source, 'src/node_modules/x'), { recursive: true })
    const names = [
      'a.tmp',
      '.hidden.tmp',
      'keep',
      'cache/index',
      'cache/thumbs/1',
      'src/node_modules/x/y',
      'src/file1',
      'src/fileA',
    ]
    for (const name of names) writeFileSync(join(source, name), name)
    await using repository = await shared.create()
    const excludes = ['*.tmp', 'node_modules', 'cache/thumbs', `${source}/src/file[0-9]`]
    const files = createFilesSource({ paths: ['source'], workingDirectory: shared.folder, excludes })
    await backup({ repository, source: files }, () => {}, signal)
    const flags = excludes.flatMap((pattern) => ['--exclude', pattern])
    await shared.restic(['backup', 'source', ...flags], { cwd: shared.folder })
    const [ours, theirs] = await repository.snapshots()
    expect(theirs?.tree).toBe(ours?.tree)
    await restoreLatest(repository, join(shared.folder, 'back'))
    expect(describeTree(join(shared.folder, 'back')).map(({ path }) => path)).toEqual([
      'cache',
      'cache/index',
      'keep',
      'src',
      'src/fileA',
    ])
  })
})
