import { randomBytes } from 'node:crypto'
import { chmodSync, mkdirSync, readdirSync, readFileSync, rmSync, truncateSync, unlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import {
  backup,
  repairIndex,
  repairPacks,
  repairSnapshots,
  restoreSnapshot,
  type RepairPacksReport,
} from '../../src/backup/index.ts'
import type { BlobType, Repository } from '../../src/repository/index.ts'
import { createFilesSource } from '../../src/sources/index.ts'
import { holdfast } from '../support/holdfast.ts'
import { describeWith } from '../support/peers.ts'
import { sharedRepository, type SharedRepository } from '../support/restic.ts'
import { describeTree } from '../support/sample-tree.ts'

const { signal } = new AbortController()
const files = 8

/** A repository that restic and we wrote, of a folder with `file 0` … `file 7` and `below/deeper`. */
async function written(restic: string) {
  const shared = sharedRepository(restic)
  await using repository = await shared.create()
  const source = join(shared.folder, 'source')
  mkdirSync(join(source, 'below'), { recursive: true })
  writeFileSync(join(source, 'below/deeper'), randomBytes(3000))
  for (let file = 0; file < files / 2; file++) writeFileSync(join(source, `file ${file}`), randomBytes(50_000 + file))
  await shared.restic(['backup', source])
  for (let file = files / 2; file < files; file++) writeFileSync(join(source, `file ${file}`), randomBytes(50_000 + file))
  await backUp(repository, source)
  return { shared, source, [Symbol.dispose]: () => shared[Symbol.dispose]() }
}

function backUp(repository: Repository, source: string) {
  return backup({ repository, source: createFilesSource({ paths: [source] }), force: true }, () => {}, signal)
}

function pathOf(shared: SharedRepository, kind: 'index' | 'data', name: string): string {
  return kind === 'data' ? join(shared.path, kind, name.slice(0, 2), name) : join(shared.path, kind, name)
}

function damage(path: string, at: number): void {
  chmodSync(path, 0o600)
  const bytes = readFileSync(path)
  const offset = at < 0 ? bytes.length + at : at
  bytes[offset] = (bytes[offset] ?? 0) ^ 1
  writeFileSync(path, bytes)
}

function namesOf(shared: SharedRepository, kind: 'index' | 'data' | 'snapshots'): string[] {
  return readdirSync(join(shared.path, kind), { recursive: true, withFileTypes: true }).flatMap((entry) =>
    entry.isFile() ? [entry.name] : [],
  )
}

/** Where a blob of a file of the last snapshot is; of a folder its tree. */
async function placeOf(shared: SharedRepository, source: string, name: string) {
  await using repository = await shared.open()
  const index = await repository.loadIndex()
  let tree = (await repository.findSnapshot('latest')).tree
  for (const part of source.split('/').slice(1)) tree = await child(repository, tree, part)
  const parts = name.split('/')
  const last = parts.pop() ?? ''
  for (const part of parts) tree = await child(repository, tree, part)
  const node = (await repository.readTree(tree)).find((each) => each.name.toString() === last)
  const [type, id]: [BlobType, string] = node?.subtree === undefined ? ['data', node?.content?.[0] ?? ''] : ['tree', node.subtree]
  const place = index.lookup(type, id)
  if (place === undefined) throw new Error(`no blob of ${name}`)
  return place
}

async function child(repository: Repository, tree: string, name: string): Promise<string> {
  const node = (await repository.readTree(tree)).find((each) => each.name.toString() === name)
  return node?.subtree ?? ''
}

async function restored(shared: SharedRepository, source: string) {
  await using repository = await shared.open()
  const target = join(shared.folder, `back ${readdirSync(shared.folder).length}`)
  const snapshot = await repository.findSnapshot('latest')
  await restoreSnapshot({ repository, snapshot, target, subtree: source }, () => {}, signal)
  return target
}

async function packsRepaired(shared: SharedRepository, packs: readonly string[]): Promise<RepairPacksReport> {
  await using repository = await shared.open()
  return repairPacks({ repository, packs, copiesTo: shared.folder }, () => {}, signal)
}

async function indexRepaired(shared: SharedRepository, readAllPacks = false) {
  await using repository = await shared.open()
  return repairIndex({ repository, readAllPacks }, () => {}, signal)
}

describeWith('restic', 'repair index', (restic) => {
  test('makes an index of packs alone, when all index files are gone', async () => {
    using made = await written(restic)
    const { shared, source } = made
    const packs = namesOf(shared, 'data')
    for (const name of namesOf(shared, 'index')) unlinkSync(pathOf(shared, 'index', name))
    const report = await indexRepaired(shared)
    expect(report.addedPacks.toSorted()).toEqual(packs.toSorted())
    expect(report).toMatchObject({ missingPacks: [], damagedPacks: [], indexesWritten: 1 })
    await shared.check()
    expect(describeTree(await restored(shared, source))).toEqual(describeTree(source))
  })

  test('replaces an index file that has a flipped bit, one that is cut short, and one that is empty', async () => {
    using made = await written(restic)
    const { shared, source } = made
    writeFileSync(join(source, 'one more'), randomBytes(5000))
    await shared.restic(['backup', source])
    const [first = '', second = '', third = ''] = namesOf(shared, 'index').map((name) => pathOf(shared, 'index', name))
    damage(first, 40)
    chmodSync(second, 0o600)
    truncateSync(second, 50)
    chmodSync(third, 0o600)
    truncateSync(third, 0)
    expect(await shared.restic(['check'], { mayFail: true })).toMatchObject({ exitCode: 1 })
    expect((await indexRepaired(shared)).unreadableIndexes).toHaveLength(3)
    await shared.check()
    expect(describeTree(await restored(shared, source))).toEqual(describeTree(source))
  })

  test('forgets packs that are gone, so that the next backup stores again what they held', async () => {
    using made = await written(restic)
    const { shared, source } = made
    const { pack } = await placeOf(shared, source, 'file 1')
    unlinkSync(pathOf(shared, 'data', pack))
    const run = await holdfast(['--repo', shared.path, '--password-file', shared.passwordFile, 'repair', 'index'])
    expect(run).toMatchObject({ exitCode: 3, stdout: expect.stringContaining(`pack ${pack} is gone`) as string })
    await using repository = await shared.open()
    await backUp(repository, source)
    await shared.check()
    expect(describeTree(await restored(shared, source))).toEqual(describeTree(source))
  })

  test('finds nothing to do where nothing is wrong, and with --read-all-packs comes to the same', async () => {
    using made = await written(restic)
    const { shared } = made
    expect(await indexRepaired(shared)).toMatchObject({ addedPacks: [], indexesWritten: 0, indexesRemoved: 0 })
    expect(await indexRepaired(shared, true)).toMatchObject({ addedPacks: [], missingPacks: [], indexesWritten: 1 })
    await shared.check()
    // restic’s own rebuilding agrees.
    await shared.restic(['rebuild-index', '--read-all-packs'])
    await shared.check()
  })
})

describeWith('restic', 'repair packs', (restic) => {
  test('saves all but the one blob that has a flipped bit, keeps a copy, and a backup brings that blob back', async () => {
    using made = await written(restic)
    const { shared, source } = made
    const place = await placeOf(shared, source, 'file 2')
    damage(pathOf(shared, 'data', place.pack), place.offset + 100)
    const before = readFileSync(pathOf(shared, 'data', place.pack))
    const report = await packsRepaired(shared, [place.pack.slice(0, 12)])
    expect(report.lost).toMatchObject([{ type: 'data', id: place.id, pack: place.pack }])
    expect(report.saved).toBeGreaterThan(0)
    expect(readFileSync(join(shared.folder, `pack-${place.pack}`))).toEqual(before)
    expect(namesOf(shared, 'data')).not.toContain(place.pack)

    await using repository = await shared.open()
    await backUp(repository, source)
    await shared.check()
    expect(describeTree(await restored(shared, source))).toEqual(describeTree(source))
  })

  test('saves everything of a pack whose header alone is damaged', async () => {
    using made = await written(restic)
    const { shared, source } = made
    const { pack } = await placeOf(shared, source, 'file 3')
    damage(pathOf(shared, 'data', pack), -20)
    expect(await packsRepaired(shared, [pack])).toMatchObject({ lost: [], unknown: [] })
    await shared.check()
    expect(describeTree(await restored(shared, source))).toEqual(describeTree(source))
  })

  test('saves what stands in front of the cut in a pack that is cut short', async () => {
    using made = await written(restic)
    const { shared, source } = made
    const { pack, offset, id } = await placeOf(shared, source, 'file 2')
    chmodSync(pathOf(shared, 'data', pack), 0o600)
    truncateSync(pathOf(shared, 'data', pack), offset + 10)
    const report = await packsRepaired(shared, [pack])
    expect(report.lost.map((blob) => blob.id)).toContain(id)
    expect(report.saved + report.lost.length).toBeGreaterThan(report.lost.length)
    await using repository = await shared.open()
    await backUp(repository, source)
    await shared.check()
  })

  test('leaves a pack alone of which nobody knows what it held', async () => {
    using made = await written(restic)
    const { shared } = made
    const name = 'ab'.repeat(32)
    mkdirSync(join(shared.path, 'data/ab'), { recursive: true })
    writeFileSync(pathOf(shared, 'data', name), randomBytes(1000))
    expect(await packsRepaired(shared, [name])).toMatchObject({ packs: [], unknown: [name], saved: 0 })
    expect(namesOf(shared, 'data')).toContain(name)
    await expect(packsRepaired(shared, ['ffffffffff'])).rejects.toMatchObject({ code: 'not-found' })
  })
})

describeWith('restic', 'repair snapshots', (restic) => {
  /** The packs that hold these are gone, and so is the source. */
  async function withLoss(names: readonly string[]) {
    const made = await written(restic)
    const { shared, source } = made
    for (const name of names) rmSync(pathOf(shared, 'data', (await placeOf(shared, source, name)).pack), { force: true })
    await indexRepaired(shared)
    return { shared, source, [Symbol.dispose]: () => made[Symbol.dispose]() }
  }

  test('leaves out what is lost of files, names each, and restic finds nothing wrong after it', async () => {
    using made = await withLoss(['file 5'])
    const { shared, source } = made
    const run = (...args: string[]) =>
      holdfast(['--repo', shared.path, '--password-file', shared.passwordFile, '--json', 'repair', 'snapshots', ...args])
    const before = namesOf(shared, 'snapshots')
    const planned = (await run('--dry-run')).json<{ repaired: { id: string; changes: object[] }[] }>()
    expect(namesOf(shared, 'snapshots')).toEqual(before)
    expect(planned.repaired).toHaveLength(1)
    expect(planned.repaired[0]?.changes).toContainEqual({ path: `${source}/file 5`, what: 'content', lostBlobs: 1 })

    const done = await run()
    expect(done.exitCode).toBe(0)
    const [repaired] = done.json<{ repaired: { id: string; repaired: string }[] }>().repaired
    const { stdout } = await shared.restic(['snapshots', '--json'])
    const snapshots = JSON.parse(stdout) as { id: string; tags?: string[]; original?: string }[]
    expect(snapshots.find(({ id }) => id === repaired?.repaired)).toMatchObject({ tags: ['repaired'], original: repaired?.id })
    // Asked again, it makes no second one.
    await run()
    expect(namesOf(shared, 'snapshots')).toHaveLength(before.length + 1)

    await run('--forget')
    expect(namesOf(shared, 'snapshots')).toHaveLength(before.length)
    await shared.check()
    const back = await restored(shared, source)
    const whole = readdirSync(source).filter((name) => readFileOr(join(back, name)).equals(readFileOr(join(source, name))))
    expect(whole).toEqual(expect.arrayContaining(['file 0', 'file 1', 'file 2', 'file 3']))
    expect(readFileSync(join(back, 'file 5'))).toHaveLength(0)
  })

  test('empties a folder whose tree is lost, and keeps what is beside it', async () => {
    using made = await written(restic)
    const { shared, source } = made
    // A tree pack holds the root, too: only this one tree is damaged.
    const { pack, offset } = await placeOf(shared, source, 'below')
    damage(pathOf(shared, 'data', pack), offset + 40)
    await packsRepaired(shared, [pack])
    await using repository = await shared.open()
    const report = await repairSnapshots({ repository, forget: true }, () => {}, signal)
    expect(report.repaired[0]?.changes).toEqual([{ path: `${source}/below`, what: 'folder' }])
    await shared.check()
    const back = await restored(shared, source)
    expect(readdirSync(join(back, 'below'))).toEqual([])
    expect(readFileSync(join(back, 'file 7'))).toEqual(readFileSync(join(source, 'file 7')))
  })

  test('names a snapshot of which nothing can be read, and removes it only with --forget', async () => {
    using made = await written(restic)
    const { shared, source } = made
    await using repository = await shared.open()
    const newest = await repository.findSnapshot('latest')
    const root = (await repository.loadIndex()).lookup('tree', newest.tree)
    damage(pathOf(shared, 'data', root?.pack ?? ''), (root?.offset ?? 0) + 20)
    await packsRepaired(shared, [root?.pack ?? ''])
    const named = await repairSnapshots({ repository }, () => {}, signal)
    expect(named.repaired).toMatchObject([{ id: newest.id, rootUnreadable: true, forgotten: false }])
    expect(namesOf(shared, 'snapshots')).toContain(newest.id)
    await repairSnapshots({ repository, forget: true }, () => {}, signal)
    expect(namesOf(shared, 'snapshots')).not.toContain(newest.id)
    await shared.check()
    expect(readdirSync(await restored(shared, source))).toContain('file 0')
  })
})

function readFileOr(path: string): Buffer {
  try {
    return readFileSync(path)
  } catch {
    return Buffer.alloc(0)
  }
}
