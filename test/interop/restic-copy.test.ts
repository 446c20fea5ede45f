import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { holdfast, type HoldfastResult } from '../support/holdfast.ts'
import { describeWith } from '../support/peers.ts'
import { sharedRepository, type SharedRepository } from '../support/restic.ts'
import { describeTree, sampleTree } from '../support/sample-tree.ts'

interface Copied {
  readonly copied: { snapshot: string; source: string }[]
  readonly alreadyThere: unknown[]
  readonly dataBlobs: number
  readonly treeBlobs: number
  readonly sameChunker: boolean
}

/** Two repositories, the second with the chunker parameters of the first. */
async function pair(restic: string) {
  const from = sharedRepository(restic)
  const to = sharedRepository(restic)
  await (await from.create())[Symbol.asyncDispose]()
  const source = ['--from-repo', from.path, '--from-password-file', from.passwordFile]
  const env = { HOLDFAST_STATE_DIR: join(to.folder, 'state') }
  const run = (args: readonly string[], onStart?: Parameters<typeof holdfast>[1] & object): Promise<HoldfastResult> =>
    holdfast(['--repo', to.path, '--password-file', to.passwordFile, ...args], { env, ...onStart })
  const made = await run(['init', '--copy-chunker-params', ...source])
  expect(made).toMatchObject({ exitCode: 0 })
  return {
    from,
    to,
    ours: (...args: string[]) => run(['copy', ...source, '--json', ...args]),
    killed: (onStart: NonNullable<Parameters<typeof holdfast>[1]>['onStart']) =>
      run(['copy', ...source], onStart === undefined ? {} : { onStart }),
    theirs: () => to.restic(['copy', ...source]),
    [Symbol.dispose]: () => {
      from[Symbol.dispose]()
      to[Symbol.dispose]()
    },
  }
}

function packs({ path }: SharedRepository): string[] {
  const entries = readdirSync(join(path, 'data'), { recursive: true, withFileTypes: true })
  return entries.flatMap((entry) => (entry.isFile() ? [entry.name] : []))
}

async function snapshots(shared: SharedRepository): Promise<{ original?: string; tree: string; tags?: string[] }[]> {
  return JSON.parse((await shared.restic(['snapshots', '--json'])).stdout) as { original?: string; tree: string }[]
}

describeWith('restic', 'copying beside restic', (restic) => {
  test("what we copied of restic's snapshots restic reads, restores, and would not copy again", async () => {
    using both = await pair(restic)
    const { from, to } = both
    const source = join(from.folder, 'source')
    mkdirSync(source)
    await sampleTree(source)
    await from.restic(['backup', '--tag', 'one,two', '--exclude', '*.none', 'source'], { cwd: from.folder })
    writeFileSync(join(source, 'new'), randomBytes(2_000_000))
    await from.restic(['backup', 'source'], { cwd: from.folder })
    const ours = await both.ours()
    expect(ours).toMatchObject({ exitCode: 0 })
    expect(ours.json<Copied>()).toMatchObject({ sameChunker: true, copied: [{}, {}], alreadyThere: [] })
    await to.check()
    expect((await snapshots(to)).map(({ tree }) => tree)).toEqual((await snapshots(from)).map(({ tree }) => tree))
    await to.restic(['restore', 'latest', '--target', join(to.folder, 'back')])
    expect(describeTree(join(to.folder, `back/source`))).toEqual(describeTree(source))
    const before = packs(to)
    await both.theirs()
    expect(packs(to)).toEqual(before)
    expect(await snapshots(to)).toHaveLength(2)
    // Both cut alike: a backup of the same files stores no content.
    const direct = await to.restic(['backup', 'source', '--json'], { cwd: from.folder })
    expect(direct.stdout).toMatch(/"data_blobs":0,"tree_blobs":0/)
  })

  test('what restic copied we do not copy again, and what only it lacks we add', async () => {
    using both = await pair(restic)
    const { from, to } = both
    const source = join(from.folder, 'source')
    mkdirSync(source)
    await sampleTree(source)
    await from.restic(['backup', 'source'], { cwd: from.folder })
    await both.theirs()
    const before = packs(to)
    expect((await both.ours()).json<Copied>()).toMatchObject({ copied: [], alreadyThere: [{}], dataBlobs: 0, treeBlobs: 0 })
    expect(packs(to)).toEqual(before)
    writeFileSync(join(source, 'small'), 'little text')
    await from.restic(['backup', 'source'], { cwd: from.folder })
    expect((await both.ours()).json<Copied>()).toMatchObject({ copied: [{}], alreadyThere: [{}], dataBlobs: 1, treeBlobs: 2 })
    await to.check()
  })

  test('a snapshot that restic has tagged anew, and a repository of format version 1, are copied', async () => {
    using both = await pair(restic)
    const { from, to } = both
    rmSync(from.path, { recursive: true })
    await from.restic(['init', '--repository-version', '1'])
    const file = join(from.folder, 'file')
    writeFileSync(file, 'text '.repeat(100_000))
    await from.restic(['backup', file])
    const [first] = JSON.parse((await from.restic(['snapshots', '--json'])).stdout) as { id: string }[]
    await from.restic(['tag', '--add', 'kept'])
    expect((await both.ours()).json<Copied>()).toMatchObject({ copied: [{}], sameChunker: false, dataBlobs: 1 })
    expect(await snapshots(to)).toMatchObject([{ original: first?.id, tags: ['kept'] }])
    await to.check()
    await both.theirs()
    expect(await snapshots(to)).toHaveLength(1)
    // What was stored plain is compressed on the way: version 1 could not.
    expect(JSON.parse((await to.restic(['stats', '--mode', 'raw-data', '--json'])).stdout)).toMatchObject({
      total_size: expect.toSatisfy((size: number) => size < 10_000),
    })
  })

  test('an exclusive lock on either repository keeps a copy from beginning', async () => {
    using both = await pair(restic)
    await both.from.restic(['backup', both.from.passwordFile])
    for (const shared of [both.from, both.to]) {
      await using repository = await shared.open()
      await using _lock = await repository.lock('exclusive')
      expect(await both.ours()).toMatchObject({ exitCode: 11 })
    }
    expect(await snapshots(both.to)).toEqual([])
    expect(await both.ours()).toMatchObject({ exitCode: 0 })
  })

  test('killed at any moment, a copy leaves a valid repository, and the next one copies all', { timeout: 300_000 }, async () => {
    using both = await pair(restic)
    const { from, to } = both
    const source = join(from.folder, 'source')
    mkdirSync(source)
    for (const round of [1, 2, 3]) {
      for (const at of Array(20).keys()) writeFileSync(join(source, `${round}-${at}`), randomBytes(1_500_000))
      await from.restic(['backup', 'source'], { cwd: from.folder })
    }
    for (const afterPacks of [1, 2, 4]) {
      const ended = await both.killed(({ kill }) => {
        const timer = setInterval(() => {
          if (packs(to).length < afterPacks) return
          clearInterval(timer)
          kill('SIGKILL')
        }, 5)
        timer.unref()
      })
      if (ended.exitCode === 0) break
      await to.restic(['unlock', '--remove-all'])
      await from.restic(['unlock', '--remove-all'])
      await to.check()
    }
    const { copied, alreadyThere } = (await both.ours()).json<Copied>()
    expect(copied.length + alreadyThere.length).toBe(3)
    await to.check()
    expect((await snapshots(to)).map(({ tree }) => tree)).toEqual((await snapshots(from)).map(({ tree }) => tree))
  })
})
