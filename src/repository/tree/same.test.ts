import fc from 'fast-check'
import { expect, test } from 'vitest'
import { encodeTree } from './encode.ts'
import type { TreeNode } from './node.ts'
import { isSameNode } from './same.ts'

const few = <Value>(...values: Value[]) => fc.constantFrom(...values)
const id = few('a'.repeat(64), 'b'.repeat(64))
const time = few(0n, 1n, 1_500_000_000_120_000_000n)
const number = few(0n, 1n, 2n ** 60n)
const bytes = few('', 'x', 'y\xff').map((text) => Buffer.from(text, 'latin1'))
const attribute = fc.record({ name: few('user.a', 'user.b'), value: bytes })

const node: fc.Arbitrary<TreeNode> = fc.record(
  {
    name: few('n', 'm').map((text) => Buffer.from(text)),
    type: few('file' as const, 'dir' as const),
    mode: few(0, 0o644),
    mtime: time,
    atime: time,
    ctime: time,
    uid: few(0, 1),
    gid: few(0, 1),
    user: few('', 'root'),
    group: few('', 'root'),
    inode: number,
    deviceId: number,
    size: number,
    links: number,
    linkTarget: bytes,
    extendedAttributes: fc.array(attribute, { maxLength: 2 }),
    device: number,
    content: fc.oneof(fc.constant(null), fc.array(id, { maxLength: 2 })),
    subtree: id,
    error: few('', 'why'),
  },
  { requiredKeys: ['name', 'type', 'mode', 'mtime', 'atime', 'ctime', 'uid', 'gid', 'content'] },
)

test('two nodes are the same exactly when a tree has the same bytes for them', () => {
  const written = (node: TreeNode) => encodeTree([node]).toString('latin1')
  // One member of one of them taken from the other: most pairs differ in one thing or in none.
  const pair = fc.tuple(
    node,
    node,
    few(...(['mtime', 'ctime', 'size', 'content', 'extendedAttributes', 'linkTarget', 'user'] as const)),
  )
  fc.assert(
    fc.property(pair, ([one, other, key]) => {
      const near = { ...one, ...(key in other ? { [key]: other[key] } : {}) }
      for (const candidate of [other, near]) expect(isSameNode(one, candidate)).toBe(written(one) === written(candidate))
    }),
    { numRuns: 2000 },
  )
})
