import { appendFileSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { RestoreSummary } from '../../src/backup/index.ts'
import { holdfast } from '../support/holdfast.ts'
import { describeWith } from '../support/peers.ts'
import { sharedRepository } from '../support/restic.ts'
import { describeTree, oddNames, sampleTree } from '../support/sample-tree.ts'

/** A snapshot of restic's with everything that a file system has. */
async function sample(restic: string) {
  const shared = sharedRepository(restic)
  await (await shared.create())[Symbol.asyncDispose]()
  const source = join(shared.folder, 'source')
  mkdirSync(source)
  await sampleTree(source)
  await shared.restic(['backup', 'source'], { cwd: shared.folder })
  const env = { HOLDFAST_STATE_DIR: join(shared.folder, 'state') }
  const run = (...args: string[]) =>
    holdfast(['--repo', shared.path, '--password-file', shared.passwordFile, ...args], { env, cwd: shared.folder })
  return { shared, source, run }
}

describeWith('restic', 'the options of restore beside restic', (restic) => {
  test('patterns choose the files and links that they choose in restic', async () => {
    const { shared, run } = await sample(restic)
    using _shared = shared
    for (const [at, options] of [
      ['--include', '/source/deep'],
      ['--include', 'text', '--include', 'emoji*'],
      ['--iinclude', 'TEXT', '--iinclude', '/SOURCE/NAMES/*'],
      ['--exclude', 'names', '--exclude', '/source/deep/er'],
      ['--iexclude', 'NAMES', '--iexclude', '*X*'],
    ].entries()) {
      expect((await run('restore', 'latest', '--target', `ours ${at}`, ...options)).exitCode).toBe(0)
      await shared.restic(['restore', 'latest', '--target', join(shared.folder, `theirs ${at}`), ...options])
      // Folders that only lead somewhere have what metadata they like.
      const content = (folder: string) =>
        describeTree(join(shared.folder, folder)).filter(({ content, target, device }) => content ?? target ?? device)
      expect(content(`ours ${at}`).length).toBeGreaterThan(0)
      expect(content(`ours ${at}`)).toEqual(content(`theirs ${at}`))
    }
  })

  test('a target that was changed becomes the snapshot again: what differs is written, what is too much removed', async () => {
    const { shared, source, run } = await sample(restic)
    using _shared = shared
    await run('restore', 'latest:/source', '--target', 'back')
    const back = join(shared.folder, 'back')
    expect(describeTree(back)).toEqual(describeTree(source))
    appendFileSync(join(back, 'random'), 'more')
    rmSync(join(back, 'deep/er/est/text'))
    for (const name of oddNames) writeFileSync(Buffer.concat([Buffer.from(`${back}/deep/`), name]), 'clutter')
    const dry = await run('restore', 'latest:/source', '--target', 'back', '--overwrite', '--delete', '--dry-run', '--json')
    const { wouldWrite = [], deleted } = dry.json<RestoreSummary>()
    expect(wouldWrite).toEqual(expect.arrayContaining([join(back, 'random'), join(back, 'deep/er/est/text')]))
    expect(deleted).toHaveLength(oddNames.length)
    const restored = (
      await run('restore', 'latest:/source', '--target', 'back', '--overwrite', '--delete', '--verify', '--json')
    ).json<RestoreSummary>()
    expect(restored.skipped).toEqual([])
    expect(restored.unchangedFiles).toBeGreaterThan(oddNames.length)
    expect(describeTree(back)).toEqual(describeTree(source))
    expect(await run('restore', 'latest:/source', '--target', 'back')).toMatchObject({ exitCode: 1 })
  })
})
