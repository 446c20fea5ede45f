import {
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempDisposableSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { memoryRepository, snapshotOf, type SampleEntry } from '../../../test/support/snapshot-of.ts'
import { restoreSnapshot, type RestoreJob } from './restore-snapshot.ts'

const { signal } = new AbortController()
const folder = () => mkdtempDisposableSync(join(tmpdir(), 'holdfast-in-place-'))
/** Of what snapshotOf saves. */
const seconds = 1_700_000_000

async function made(entries: readonly SampleEntry[]) {
  const repository = await memoryRepository()
  const snapshot = await snapshotOf(repository, entries)
  return (target: string, more: Partial<RestoreJob> = {}) =>
    restoreSnapshot({ repository, snapshot, target, noLock: true, ...more }, () => {}, signal)
}

/** A file as it stands: what is written gets another inode. */
const inode = (path: string) => lstatSync(path, { bigint: true }).ino
const text = (path: string) => readFileSync(path, 'utf8')

test('only files whose content differs are written; the others get the metadata of the snapshot', async () => {
  using dir = folder()
  const at = (name: string) => join(dir.path, name)
  const restore = await made([
    ['same', 'text'],
    ['other', 'after'],
    ['longer', 'ab'],
    ['new', 'new'],
  ])
  writeFileSync(at('same'), 'text')
  writeFileSync(at('other'), 'befor')
  writeFileSync(at('longer'), 'abc')
  const before = inode(at('same'))
  expect(await restore(dir.path, { overwrite: true })).toMatchObject({ files: 3, unchangedFiles: 1, untouched: 0, deleted: [] })
  expect(inode(at('same'))).toBe(before)
  expect(lstatSync(at('same')).mtimeMs).toBe(seconds * 1000)
  expect([text(at('other')), text(at('longer')), text(at('new'))]).toEqual(['after', 'ab', 'new'])
  expect(await restore(dir.path, { overwrite: true, verify: true })).toMatchObject({
    files: 0,
    unchangedFiles: 4,
    verifiedFiles: 4,
  })
})

test('if-changed trusts size and time, if-newer leaves what is younger, never leaves everything', async () => {
  using dir = folder()
  const at = (name: string) => join(dir.path, name)
  const restore = await made([
    ['a', 'good'],
    ['link', { type: 'symlink', mode: 0o777, linkTarget: Buffer.from('a') }],
  ])
  const put = (content: string, time: number) => {
    writeFileSync(at('a'), content)
    utimesSync(at('a'), time, time)
  }
  put('evil', seconds)
  expect(await restore(dir.path, { overwrite: 'if-changed' })).toMatchObject({ files: 0, unchangedFiles: 1 })
  expect(text(at('a'))).toBe('evil')
  put('evil', seconds + 1)
  expect(await restore(dir.path, { overwrite: 'if-newer' })).toMatchObject({ files: 0, untouched: 2 })
  put('evil', seconds - 1)
  expect(await restore(dir.path, { overwrite: 'never' })).toMatchObject({ files: 0, untouched: 2 })
  expect(text(at('a'))).toBe('evil')
  expect(await restore(dir.path, { overwrite: 'if-newer' })).toMatchObject({ files: 1 })
  expect(text(at('a'))).toBe('good')
})

test('a name that shares its content in the target only is written apart, and one that does in the snapshot is linked', async () => {
  using dir = folder()
  const at = (name: string) => join(dir.path, name)
  const apart = await made([['one', 'text']])
  writeFileSync(at('keep'), 'text')
  linkSync(at('keep'), at('one'))
  await apart(dir.path, { overwrite: true })
  expect(inode(at('one'))).not.toBe(inode(at('keep')))
  const repository = await memoryRepository()
  const first = await snapshotOf(repository, [['x', 'shared']])
  const content = (await repository.readTree(first.tree))[0]?.content ?? []
  const linked = { content, size: 6n, links: 2n, inode: 9n }
  const snapshot = await snapshotOf(repository, [
    ['x', linked],
    ['y', linked],
  ])
  const restore = (overwrite: RestoreJob['overwrite'] & {}) =>
    restoreSnapshot({ repository, snapshot, target: dir.path, overwrite, noLock: true }, () => {}, signal)
  writeFileSync(at('x'), 'mine!!')
  // What stays has other content: the second name must not become a name of it.
  expect(await restore('never')).toMatchObject({ files: 1, untouched: 1 })
  expect([text(at('x')), text(at('y'))]).toEqual(['mine!!', 'shared'])
  await restore('always')
  expect(inode(at('x'))).toBe(inode(at('y')))
  const before = inode(at('y'))
  expect(await restore('always')).toMatchObject({ files: 1, unchangedFiles: 1 })
  expect(inode(at('y'))).toBe(before)
})

test('what the snapshot does not have is removed only when asked for, never through a link, and never what patterns leave out', async () => {
  using dir = folder()
  using outside = folder()
  const at = (name: string) => join(dir.path, name)
  const restore = await made([
    ['d/kept', 'k'],
    ['e/kept', 'k'],
  ])
  const clutter = () => {
    for (const path of ['d', 'd/old/er', 'e']) mkdirSync(at(path), { recursive: true })
    for (const path of ['d/old/er/x', 'd/extra', 'd/extra.log', 'e/extra', 'top']) writeFileSync(at(path), 'x')
  }
  clutter()
  writeFileSync(join(outside.path, 'precious'), 'p')
  symlinkSync(outside.path, at('d/way out'))
  await expect(restore(dir.path, { deleteExtra: true })).rejects.toMatchObject({ code: 'usage' })
  expect(await restore(dir.path, { overwrite: true })).toMatchObject({ deleted: [] })
  const part = { overwrite: true, deleteExtra: true, include: ['/d'], exclude: ['*.log'] } as const
  const dry = await restore(dir.path, { ...part, dryRun: true })
  expect(dry.deleted).toEqual([at('d/extra'), at('d/old'), at('d/way out')])
  expect(readdirSync(at('d'))).toContain('extra')
  expect((await restore(dir.path, part)).deleted).toEqual(dry.deleted)
  expect(readdirSync(at('d')).map(String).toSorted()).toEqual(['extra.log', 'kept'])
  expect(readdirSync(at('e')).map(String).toSorted()).toEqual(['extra', 'kept'])
  expect(readdirSync(outside.path)).toEqual(['precious'])
  await restore(dir.path, { overwrite: true, deleteExtra: true })
  expect(readdirSync(dir.path, { recursive: true }).map(String).toSorted()).toEqual(['d', 'd/kept', 'e', 'e/kept'])
  expect(lstatSync(at('d')).mtimeMs).toBe(seconds * 1000)
})

test('a dry run tells what would be written, and leaves no trace', async () => {
  using dir = folder()
  const target = join(dir.path, 'not/there')
  const restore = await made([
    ['a', 'text'],
    ['d/l', { type: 'symlink', mode: 0o777, linkTarget: Buffer.from('a') }],
  ])
  expect(await restore(target, { dryRun: true })).toMatchObject({
    wouldWrite: [join(target, 'a'), join(target, 'd/l')],
    files: 1,
    specials: 1,
    sizeBytes: 4,
  })
  expect(readdirSync(dir.path)).toEqual([])
})

test.each<[string, Partial<RestoreJob>, string[]]>([
  ['a name anywhere', { include: ['x.log'] }, ['a', 'a/x.log', 'b', 'b/c', 'b/c/x.log']],
  ['a path from the root, with all that is in it', { include: ['/b/c'] }, ['b', 'b/c', 'b/c/X.LOG', 'b/c/x.log']],
  ['without regard to case', { iinclude: ['*.LOG'], exclude: ['/a'] }, ['b', 'b/c', 'b/c/X.LOG', 'b/c/x.log']],
  ['all but what is excluded', { exclude: ['c'], iexclude: ['Y'] }, ['a', 'a/x.log', 'b']],
  ['what is included but for what is excluded', { include: ['/b'], exclude: ['x.log'] }, ['b', 'b/c', 'b/c/X.LOG', 'b/y']],
])('patterns choose %s', async (_, patterns, expected) => {
  using dir = folder()
  const restore = await made([
    ['a/x.log', '1'],
    ['b/c/x.log', '2'],
    ['b/c/X.LOG', '3'],
    ['b/y', '4'],
  ])
  await restore(join(dir.path, 'target'), patterns)
  expect(readdirSync(join(dir.path, 'target'), { recursive: true }).map(String).toSorted()).toEqual(expected)
})

test('patterns that match nothing are an error, and leave no target behind', async () => {
  using dir = folder()
  const restore = await made([['a', '1']])
  await expect(restore(join(dir.path, 'target'), { include: ['/none'] })).rejects.toMatchObject({ code: 'not-found' })
  expect(readdirSync(dir.path)).toEqual([])
})
