import type { BigIntStats } from 'node:fs'
import { expect, test } from 'vitest'
import { encodeTree, type TreeNode } from '../../repository/index.ts'
import { unchangedContent } from './node-reader.ts'
import { unsigned } from './unsigned.ts'

test('an inode from 2⁶³ on, which Node gives as a negative number, is kept as it is, and its file is seen to be unchanged', () => {
  const stat = { size: 1n, mtimeNs: 2n, ctimeNs: 3n, ino: -(2n ** 63n) + 5n } as BigIntStats
  const node: TreeNode = {
    name: Buffer.from('a'),
    type: 'file',
    mode: 0o600,
    mtime: 2n,
    atime: 2n,
    ctime: 3n,
    uid: 0,
    gid: 0,
    inode: unsigned(stat.ino),
    size: 1n,
    content: [],
  }
  expect(node.inode).toBe(2n ** 63n + 5n)
  expect(Buffer.from(encodeTree([node])).toString()).toContain('"inode":9223372036854775813')
  expect(unchangedContent(node, stat)).toEqual([])
  stat.ino += 1n
  expect(unchangedContent(node, stat)).toBeUndefined()
})
