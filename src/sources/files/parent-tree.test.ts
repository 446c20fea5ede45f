import { expect, test } from 'vitest'
import type { TreeNode } from '../../repository/index.ts'
import { ParentChildren } from './parent-tree.ts'

function* nodes(names: string, onMade: () => void = () => {}): Generator<TreeNode> {
  const times = { mtime: 1n, atime: 1n, ctime: 1n }
  for (const name of names) {
    onMade()
    yield { name: Buffer.from(name), type: 'file', mode: 420, uid: 0, gid: 0, ...times, content: [] }
  }
}

test('what the parent has is taken by name, and no node is made before its turn', () => {
  let made = 0
  const children = new ParentChildren(nodes('bcef', () => made++))
  const take = (name: string) => children.take(name)?.name.toString()
  expect([take('a'), made]).toEqual([undefined, 1])
  expect([take('b'), made]).toEqual(['b', 2])
  expect([take('d'), take('e'), made]).toEqual([undefined, 'e', 4])
  expect(take('g')).toBeUndefined()
})

test.each([
  ['abc', 'abc', true],
  ['abd', 'abcd', true],
  ['ab', 'abc', true],
  ['abc', 'ac', false],
  ['abc', 'ab', false],
  ['', '', true],
])('of a parent with %j, after taking %j all are taken: %j', (parent, taken, all) => {
  const children = new ParentChildren(nodes(parent))
  for (const name of taken) children.take(name)
  expect(children.areAllTaken).toBe(all)
})
