import fc from 'fast-check'
import { expect, test } from 'vitest'
import { decodeTree } from './decode.ts'
import { encodeTree } from './encode.ts'
import { goQuote } from './go-quote.ts'
import { isSafeNodeName, type NodeType, type TreeNode } from './node.ts'
import { treePieces } from './pieces.ts'
import { field, kinds, long, text, TreeScanner } from './scanner.ts'

const scanner = await TreeScanner.create()

const u32 = fc.integer({ min: 0, max: 0xffff_ffff })
const u64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })
const time = fc.oneof(fc.bigInt({ min: -(10n ** 20n), max: 10n ** 20n }), fc.bigInt({ min: 0n, max: 2n * 10n ** 18n }))
const id = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => Buffer.from(bytes).toString('hex'))
const name = fc
  .oneof(
    fc.uint8Array({ minLength: 1, maxLength: 20 }).map((bytes) => Buffer.from(bytes)),
    fc.string({ unit: 'grapheme', minLength: 1 }).map((value) => Buffer.from(value)),
  )
  .filter(isSafeNodeName)
const optional = <Value>(value: fc.Arbitrary<Value>) => fc.option(value, { nil: undefined })
const usualTime = fc.bigInt({ min: 0n, max: 4n * 10n ** 18n })
const anyNode: fc.Arbitrary<TreeNode> = fc
  .record({
    name,
    type: fc.constantFrom<NodeType>('file', 'dir', 'symlink', 'dev', 'chardev', 'fifo', 'socket', 'irregular'),
    mode: u32,
    mtime: time,
    atime: time,
    ctime: time,
    uid: u32,
    gid: u32,
    user: optional(fc.string()),
    group: optional(fc.string()),
    inode: optional(u64),
    deviceId: optional(u64),
    size: optional(u64),
    links: optional(u64),
    linkTarget: optional(fc.uint8Array().map((bytes) => Buffer.from(bytes))),
    extendedAttributes: optional(fc.array(fc.record({ name: fc.string(), value: fc.uint8Array() }))),
    device: optional(u64),
    content: fc.option(fc.array(id, { maxLength: 4 })),
    subtree: optional(id),
    error: optional(fc.string()),
  })
  .map((fields) => Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as unknown as TreeNode)
/** Without what makes a node odd. */
const usualNode = fc.tuple(anyNode, usualTime, usualTime, fc.integer({ min: 1 })).map(([any, mtime, ctime, number]): TreeNode => {
  const { error: _error, extendedAttributes: _attributes, linkTarget: _target, ...node } = any
  const usual = {
    name: Buffer.from(`file ${number}`),
    type: 'file',
    mtime,
    atime: mtime,
    ctime,
    user: 'ann',
    group: 'staff',
  } as const
  return { ...node, ...usual, inode: ctime, deviceId: 1n, size: mtime, links: 1n, device: 0n }
})
const node = fc.oneof(anyNode, usualNode)
const nodes = fc.uniqueArray(node, { maxLength: 12, selector: (one) => one.name.toString('latin1') })

function scan(bytes: Uint8Array): void {
  scanner.memory(bytes.length).set(bytes)
  scanner.begin(bytes.length)
}

/** What the scanner says of the current node, as far as it says anything. */
function scanned(): Record<string, unknown> {
  if (scanner.word(field.kind) === kinds.odd) return { ...scanner.node('a test') }
  const content: string[] = []
  scanner.everyBlob((bytes, at) => content.push(Buffer.from(bytes.subarray(at, at + 64)).toString()) > 0)
  return {
    name: scanner.latin1(text.name),
    type: Object.keys(kinds)[scanner.word(field.kind)],
    mode: scanner.word(field.mode),
    uid: scanner.word(field.uid),
    gid: scanner.word(field.gid),
    user: scanner.latin1(text.user),
    group: scanner.latin1(text.group),
    linkTarget: scanner.latin1(text.linkTarget),
    content: scanner.contentCount === undefined ? null : content,
    subtree: scanner.subtree,
    ...Object.fromEntries(Object.entries(long).map(([key, index]) => [key, scanner.long(index)])),
  }
}

/** The same of a decoded node. */
function expected(node: TreeNode, isOdd: boolean): Record<string, unknown> {
  if (isOdd) return { ...node }
  const utf8 = (value = '') => Buffer.from(value).toString('latin1')
  const { name, type, mode, uid, gid, user, group, linkTarget, content, subtree = '' } = node
  const longs = Object.keys(long).map((key) => [key, node[key as keyof typeof long] ?? 0n])
  return {
    name: name.toString('latin1'),
    type,
    mode,
    uid,
    gid,
    user: utf8(user),
    group: utf8(group),
    linkTarget: linkTarget?.toString('latin1') ?? '',
    content,
    subtree,
    ...Object.fromEntries(longs),
  }
}

/** Of every number the largest that still is one. */
const largest: TreeNode = {
  name: Buffer.from(''),
  type: 'file',
  mode: 0o644,
  mtime: 0n,
  atime: 0n,
  ctime: 0n,
  uid: 2 ** 32 - 1,
  gid: 2 ** 32 - 1,
  inode: 2n ** 63n,
  deviceId: 2n ** 63n,
  content: null,
}

test('the scanner reads of every node what the reader of JSON does', () => {
  let plain = 0
  fc.assert(
    fc.property(nodes, (nodes) => {
      const bytes = encodeTree(nodes)
      scan(bytes)
      for (const node of decodeTree(bytes, 'a test')) {
        expect(scanner.next()).toBe(true)
        const isOdd = scanner.word(field.kind) === kinds.odd
        if (!isOdd) plain++
        expect(scanned()).toEqual(expected(node, isOdd))
        expect(scanner.node('a test')).toEqual(node)
      }
      expect(scanner.next()).toBe(false)
      expect(scanner.isWhole).toBe(true)
    }),
    { numRuns: 500, examples: [[[{ ...largest, name: Buffer.from('largest') }]]] },
  )
  expect(plain).toBeGreaterThan(50)
})

test('nodes as they usually are need no other reader', () => {
  const usual = {
    mode: 0o644,
    mtime: 1_700_000_000_123_456_789n,
    uid: 1000,
    gid: 1000,
    user: 'ann',
    group: 'ann',
    inode: 2n ** 60n,
  }
  const times = { atime: usual.mtime, ctime: 1_700_000_001_000_000_000n }
  const tree = encodeTree([
    { ...usual, ...times, name: Buffer.from('ä file'), type: 'file', size: 3n, links: 1n, content: ['ab'.repeat(32)] },
    { ...usual, ...times, name: Buffer.from('folder'), type: 'dir', content: null, subtree: 'cd'.repeat(32) },
    { ...usual, ...times, name: Buffer.from('link'), type: 'symlink', links: 1n, linkTarget: Buffer.from('to/ä'), content: null },
  ])
  scan(tree)
  const seen: number[] = []
  while (scanner.next()) seen.push(scanner.word(field.kind))
  expect([seen, scanner.isWhole]).toEqual([[kinds.dir, kinds.symlink, kinds.file], true])
})

test('whatever is changed of a tree, the scanner finds no other nodes in it than the reader of JSON', () => {
  const whole = encodeTree([
    {
      name: Buffer.from('x'),
      type: 'file',
      mode: 0o644,
      mtime: 1_700_000_000_100_000_000n,
      atime: 1_700_000_000_100_000_000n,
      ctime: 1n,
      uid: 1,
      gid: 2,
      user: 'u',
      size: 7n,
      content: ['ab'.repeat(32), 'cd'.repeat(32)],
    },
    {
      name: Buffer.from(goQuote(Buffer.from('y'))),
      type: 'fifo',
      mode: 1,
      mtime: 0n,
      atime: 0n,
      ctime: 0n,
      uid: 0,
      gid: 0,
      content: null,
    },
  ])
  fc.assert(
    fc.property(fc.nat(whole.length - 1), fc.integer({ min: 0x20, max: 0x7e }), (at, byte) => {
      const changed = Buffer.from(whole)
      changed[at] = byte
      let read: TreeNode[] | undefined
      try {
        read = decodeTree(changed, 'a test')
      } catch {
        // The scanner may see less: it does not look at what it leaves to the reader of JSON.
      }
      scan(changed)
      const found: Record<string, unknown>[] = []
      const wanted: Record<string, unknown>[] = []
      for (let node = 0; scanner.next(); node++) {
        if (scanner.word(field.kind) === kinds.odd) continue
        found.push(scanned())
        const there = read?.[node]
        wanted.push(there === undefined ? {} : expected(there, false))
      }
      expect(!scanner.isWhole || read === undefined ? wanted : found).toEqual(wanted)
    }),
    { numRuns: 3000 },
  )
  for (let length = 0; length < whole.length - 1; length++) {
    scan(whole.subarray(0, length))
    while (scanner.next());
    expect(scanner.isWhole).toBe(false)
  }
})

test('a tree in pieces is scanned as it is whole, and is not whole when a piece is not', () => {
  const json = encodeTree(
    fc.sample(usualNode, { numRuns: 300, seed: 1 }).map((node, at) => ({ ...node, name: Buffer.from(`file ${at}`) })),
  )
  const namesOf = () => {
    const names: string[] = []
    while (scanner.next()) names.push(scanner.latin1(text.name))
    return names
  }
  scan(json)
  const whole = namesOf()
  const pieces = [...treePieces(json, 1000)]
  scanner.beginPieces(pieces)
  expect(namesOf()).toEqual(whole)
  expect(scanner.isWhole).toBe(true)
  expect(pieces.length).toBeGreaterThan(20)

  const broken = pieces.map((piece, at) => (at === 5 ? piece.subarray(0, -3) : piece))
  scanner.beginPieces(broken)
  expect(namesOf().length).toBeLessThan(whole.length / 2)
  expect(scanner.isWhole).toBe(false)
})
