import fc from 'fast-check'
import { beforeAll, expect, test } from 'vitest'
import { createRepository, type Repository } from '../repository/index.ts'
import { createMemoryBackend } from '../storage/index.ts'
import { goMode } from './file-mode.ts'
import { TreeBuilder, type EntryNode } from './tree-builder.ts'

const entry = (type: 'file' | 'dir', mtime = 5n): EntryNode => ({
  type,
  mode: goMode(type === 'dir' ? 0o040_700 : 0o100_600),
  mtime,
  atime: mtime,
  ctime: mtime,
  uid: 1,
  gid: 2,
  content: type === 'dir' ? null : [],
})

let repository: Repository
beforeAll(async () => {
  repository = await createRepository(createMemoryBackend(), 'password', { kdf: { N: 32768, r: 8, p: 1 } })
})

type Added = readonly (readonly [path: string, node: EntryNode])[]

async function build(entries: Added) {
  const builder = new TreeBuilder()
  for (const [path, node] of entries) builder.add(path, node)
  await using writer = await repository.createWriter({ workers: 1 })
  const built = await builder.finish(writer)
  await writer.flush()
  return built
}

/** All paths of a tree, each with its mode. */
async function listing(tree: string, above = ''): Promise<string[]> {
  const lines: string[] = []
  for (const node of await repository.readTree(tree)) {
    const path = `${above}/${Buffer.from(node.name).toString()}`
    lines.push(`${path} ${(node.mode % 0o1000).toString(8)}`)
    if (node.subtree !== undefined) lines.push(...(await listing(node.subtree, path)))
  }
  return lines
}

const sample: Added = [
  ['a/', entry('dir')],
  ['a/b', entry('dir')],
  ['./a/b/file', entry('file')],
  ['a/file', entry('file')],
  ['implied/deep/file', entry('file', 9n)],
  ['z', entry('file')],
]

test('entries become trees; what only leads to others is readable and as old as what it holds', async () => {
  const { tree, directories } = await build(sample)
  expect(directories).toBe(4)
  expect(await listing(tree)).toEqual([
    '/a 700',
    '/a/b 700',
    '/a/b/file 600',
    '/a/file 600',
    '/implied 755',
    '/implied/deep 755',
    '/implied/deep/file 600',
    '/z 600',
  ])
  const implied = (await repository.readTree(tree))[1]
  expect((await repository.readTree(implied?.subtree ?? ''))[0]?.mtime).toBe(9n)
})

test('the order in which entries come does not matter', async () => {
  const { tree } = await build(sample)
  await fc.assert(
    fc.asyncProperty(fc.shuffledSubarray([...sample], { minLength: sample.length }), async (shuffled) => {
      expect((await build(shuffled)).tree).toBe(tree)
    }),
    { numRuns: 5 },
  )
})

test('no entry at all is the empty tree', async () => {
  expect(await build([])).toEqual({ tree: 'ac08ce34ba4f8123618661bef2425f7028ffb9ac740578a3ee88684d2523fee8', directories: 0 })
})

test.each([
  ['a name that leads out', [['a/../b', entry('file')]]],
  [
    'a file twice',
    [
      ['a', entry('file')],
      ['a', entry('file')],
    ],
  ],
  [
    'a directory twice',
    [
      ['a', entry('dir')],
      ['a/', entry('dir')],
    ],
  ],
  [
    'something below a file',
    [
      ['a', entry('file')],
      ['a/b', entry('file')],
    ],
  ],
  [
    'a file where others are below',
    [
      ['a/b', entry('file')],
      ['a', entry('file')],
    ],
  ],
] satisfies [string, Added][])('%s is refused', (_, entries) => {
  const builder = new TreeBuilder()
  const add = () => {
    for (const [path, node] of entries) builder.add(path, node)
  }
  expect(add).toThrow(expect.objectContaining({ code: 'source-unreadable' }))
})
