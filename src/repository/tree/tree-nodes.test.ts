import { expect, test } from 'vitest'
import { wholeText } from '../tree-blob.ts'
import { encodeTree } from './encode.ts'
import type { TreeNode } from './node.ts'
import { TreeNodes } from './tree-nodes.ts'

const pieceBytes = 1000

function nodeOf(name: string, subtree?: string): TreeNode {
  const times = { mtime: 1n, atime: 1n, ctime: 1n }
  const what = subtree === undefined ? { type: 'file' as const, content: [] } : { type: 'dir' as const, content: null, subtree }
  return { name: Buffer.from(name), mode: 420, uid: 0, gid: 0, ...times, ...what }
}

const names = Array.from({ length: 100 }, (_, at) => `file ${String(at).padStart(3, '0')}`)
const json = encodeTree(names.map((name) => nodeOf(name)))

test('nodes come in order, as often as they are asked for', () => {
  const nodes = new TreeNodes(wholeText(json), 'tree 12345678', pieceBytes)
  for (let time = 0; time < 2; time++) expect(Array.from(nodes, ({ name }) => name.toString())).toEqual(names)
  expect(nodes.bytes).toBe(json.length)
})

test('no more nodes are made than are asked for, and those of a piece: what is damaged behind them is not met', () => {
  const damaged = Buffer.from(json)
  damaged.write('?', json.indexOf('file 050') - 1)
  const nodes = new TreeNodes(wholeText(damaged), 'tree 12345678', pieceBytes)
  const given: string[] = []
  expect(() => {
    for (const { name } of nodes) given.push(name.toString())
  }).toThrow(expect.objectContaining({ code: 'object-damaged', message: expect.stringContaining('tree 12345678') }))
  expect(given).toEqual(names.slice(0, given.length))
  expect(given.length).toBeGreaterThan(40)
  expect(given.length).toBeLessThan(50)
  expect(() => nodes.verify()).toThrow(expect.objectContaining({ code: 'object-damaged' }))
})

test('damage is told with the number of its node in the whole tree', () => {
  const damaged = Buffer.from(json.toString().replace('"file 077","type":"file"', '"file 077","type":"none"'))
  expect(() => new TreeNodes(wholeText(damaged), 'tree 12345678', pieceBytes).verify()).toThrow('node 77 ("file 077")')
})

test('with a node come the folders that follow it, as far as they are known already', () => {
  const subtrees = Array.from({ length: 20 }, (_, at) => String(at).padStart(64, '0'))
  const folders = encodeTree(subtrees.map((subtree) => nodeOf(subtree, subtree)))
  const follow = [...new TreeNodes(wholeText(folders), 'a tree', pieceBytes).inPlace()].map(({ next }) => [...next])
  const [first = []] = follow
  expect(first).toEqual(subtrees.slice(1, first.length + 1))
  expect(first.length).toBeGreaterThan(1)
  expect(first.length).toBeLessThan(10)
})
