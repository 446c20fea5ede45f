import fc from 'fast-check'
import { expect, test } from 'vitest'
import { sha256Hex } from '../../kernel/index.ts'
import { decodeTree } from './decode.ts'
import { encodeTree } from './encode.ts'
import { goJsonBytes } from './go-json.ts'
import { goQuote, goUnquote } from './go-quote.ts'
import { isSafeNodeName, type TreeNode } from './node.ts'

const file = (name: Buffer | string): TreeNode => ({
  name: Buffer.from(name),
  type: 'file',
  mode: 0o644,
  mtime: 1_500_000_000_120_000_000n,
  atime: 1_500_000_000_120_000_000n,
  ctime: 1_500_000_000_000_000_001n,
  uid: 0,
  gid: 0,
  content: [],
})

test("the empty tree has restic's id", () => {
  expect(sha256Hex(encodeTree([]))).toBe('ac08ce34ba4f8123618661bef2425f7028ffb9ac740578a3ee88684d2523fee8')
})

// The expected texts are those of Go's strconv.Quote, without the outer quotes.
test.each([
  ['plain-name.txt', 'plain-name.txt'],
  ['with space', 'with space'],
  ['quote"back\\slash', String.raw`quote\"back\\slash`],
  ['\x07\b\f\n\r\t\v', String.raw`\a\b\f\n\r\t\v`],
  ['\x00\x1b\x7f', String.raw`\x00\x1b\x7f`],
  ['äöü 漢字 😀', 'äöü 漢字 😀'],
  ['nbsp\u00a0', String.raw`nbsp\u00a0`],
  ['ideographic\u3000', String.raw`ideographic\u3000`],
  ['zwsp\u200b bom\ufeff soft\u00ad', String.raw`zwsp\u200b bom\ufeff soft\u00ad`],
  ['private\ue000', String.raw`private\ue000`],
  ['plane 15 \u{f0000}', String.raw`plane 15 \U000f0000`],
  ['replacement \ufffd', 'replacement \ufffd'],
  ['combining e\u0301', 'combining e\u0301'],
])('quotes %j as Go does', (name, quoted) => {
  expect(goQuote(Buffer.from(name))).toBe(quoted)
})

test.each([
  ['ff', String.raw`\xff`],
  ['c3', String.raw`\xc3`],
  ['c328', String.raw`\xc3(`],
  ['eda080', String.raw`\xed\xa0\x80`],
  ['c0af', String.raw`\xc0\xaf`],
  ['f0288cbc', String.raw`\xf0(\x8c\xbc`],
  ['61ff62c3a4', String.raw`a\xffbä`],
  ['e282', String.raw`\xe2\x82`],
])('quotes each byte of what is not UTF-8: %s', (hex, quoted) => {
  expect(goQuote(Buffer.from(hex, 'hex'))).toBe(quoted)
})

test('a name of any bytes comes back from its quoted form', () => {
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 40 }),
    fc.string({ unit: 'binary', maxLength: 20 }).map((text) => Buffer.from(text)),
  )
  fc.assert(
    fc.property(bytes, (name) => {
      expect(goUnquote(goQuote(name))).toEqual(Buffer.from(name))
    }),
    { numRuns: 1000 },
  )
})

test.each([
  [String.raw`\101\377`, Buffer.from('41ff', 'hex')],
  [String.raw`\U0001F600`, Buffer.from('😀')],
])('reads all that Go reads: %s', (text, name) => {
  expect(goUnquote(text)).toEqual(name)
})

test.each([
  String.raw`\q`,
  String.raw`\x1`,
  String.raw`\u12`,
  String.raw`\ud800`,
  String.raw`\U00110000`,
  String.raw`\400`,
  'a"b',
  '\\',
])('refuses what Go refuses: %s', (text) => {
  expect(goUnquote(text)).toBeUndefined()
})

test.each([
  ['<a>&"\\\u2028\u2029\n\x01\x7f\u0085', String.raw`"\u003ca\u003e\u0026\"\\\u2028\u2029\n\u0001` + '\x7f\u0085"'],
  ['\ufffd', '"\ufffd"'],
])("escapes %j as Go's encoding/json does", (text, json) => {
  expect(goJsonBytes(Buffer.from(text))).toBe(json)
})

test('bytes that are not UTF-8 become an escaped replacement character, one each', () => {
  expect(goJsonBytes(Buffer.from('61ff62eda080', 'hex'))).toBe(String.raw`"a\ufffdb\ufffd\ufffd\ufffd"`)
})

test('a backslash in a name is quoted and then escaped', () => {
  expect(encodeTree([file(Buffer.from('ff', 'hex'))]).toString()).toContain(String.raw`{"name":"\\xff","type":"file"`)
})

test('nodes stand in byte order, not in that of UTF-16', () => {
  const names = ['\u{1f600}', '\uffee', 'a', 'B', 'aa', '.x']
  const nodes = decodeTree(encodeTree(names.map(file)), 'a test')
  expect(nodes.map(({ name }) => name.toString())).toEqual(['.x', 'B', 'a', 'aa', '\uffee', '\u{1f600}'])
})

test.each(['', '.', '..', 'a/b', 'a\0b'])('no tree is made with the name %j, nor is it safe to restore', (name) => {
  expect(isSafeNodeName(Buffer.from(name))).toBe(false)
  expect(() => encodeTree([file(name)])).toThrow(expect.objectContaining({ code: 'internal' }))
})

test('no tree is made with a name that is there twice', () => {
  expect(() => encodeTree([file('a'), file('b'), file('a')])).toThrow(expect.objectContaining({ code: 'internal' }))
})

test('fields stand in restic’s order, and zero or empty ones are left out', () => {
  const id = 'ab'.repeat(32)
  const everything: TreeNode = {
    ...file('n'),
    mtime: 0n,
    atime: -1n,
    ctime: 253_402_300_799_999_999_999n,
    user: 'root',
    group: 'wheel',
    inode: 2n ** 64n - 1n,
    deviceId: 2n ** 53n + 1n,
    size: 9_007_199_254_740_993n,
    links: 2n,
    linkTarget: Buffer.from('61ff', 'hex'),
    extendedAttributes: [
      { name: 'user.b', value: Buffer.from('x') },
      { name: 'user.a', value: Buffer.alloc(0) },
    ],
    genericAttributes: '{"windows.file_attributes":32}',
    device: 259n,
    content: [id],
    subtree: id,
    error: 'broken',
  }
  const text = encodeTree([everything]).toString()
  expect(text.replaceAll(/"[amc]time":"[^"]*",/g, '')).toBe(
    `{"nodes":[{"name":"n","type":"file","mode":420,"uid":0,"gid":0,"user":"root","group":"wheel","inode":18446744073709551615,` +
      `"device_id":9007199254740993,"size":9007199254740993,"links":2,"linktarget":"a\\ufffd","linktarget_raw":"Yf8=",` +
      `"extended_attributes":[{"name":"user.b","value":"eA=="},{"name":"user.a","value":""}],` +
      `"generic_attributes":{"windows.file_attributes":32},"device":259,"content":["${id}"],"subtree":"${id}","error":"broken"}]}\n`,
  )
  expect(encodeTree(decodeTree(Buffer.from(text), 'a test')).toString()).toBe(text)
  expect(decodeTree(Buffer.from(text), 'a test')).toEqual([everything])
})

test('whatever nodes a tree has, they come back, and encode to the same bytes again', () => {
  const u64 = fc.bigInt({ min: 1n, max: 2n ** 64n - 1n })
  const optional = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined })
  const node = fc
    .record({
      name: fc.uint8Array({ minLength: 1, maxLength: 12 }).map((bytes) => Buffer.from(bytes)),
      mode: fc.integer({ min: 0, max: 0xffff_ffff }),
      uid: fc.integer({ min: 0, max: 0xffff_ffff }),
      mtime: fc.bigInt({ min: -62_000_000_000_000_000_000n, max: 253_000_000_000_000_000_000n }),
      user: optional(fc.string({ unit: 'binary', minLength: 1 }).filter((text) => text.isWellFormed())),
      inode: optional(u64),
      size: optional(u64),
      linkTarget: optional(fc.uint8Array({ minLength: 1 }).map((bytes) => Buffer.from(bytes))),
    })
    .map((fields): TreeNode => {
      const present = Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined))
      return { ...file('x'), ...present }
    })
    .filter(({ name }) => isSafeNodeName(name))
  const nodes = fc.uniqueArray(node, { selector: ({ name }) => name.toString('hex'), maxLength: 10 })
  fc.assert(
    fc.property(nodes, (nodes) => {
      const bytes = encodeTree(nodes)
      const decoded = decodeTree(bytes, 'a test')
      expect(decoded).toEqual(nodes.toSorted((a, b) => Buffer.compare(a.name, b.name)))
      expect(encodeTree(decoded)).toEqual(bytes)
    }),
    { numRuns: 300 },
  )
})

test.each([
  ['nothing', ''],
  ['no nodes', '{}'],
  ['a node without a name', '{"nodes":[{"type":"file"}]}'],
  ['an unreadable name', String.raw`{"nodes":[{"name":"\\q","type":"file"}]}`],
  ['an unknown type', '{"nodes":[{"name":"a","type":"door"}]}'],
  ['a time without zone', '{"nodes":[{"name":"a","type":"file","mtime":"2020-01-01T00:00:00"}]}'],
  ['content that is no id', '{"nodes":[{"name":"a","type":"file","content":["../x"]}]}'],
])('%s is damage', (_what, text) => {
  expect(() => decodeTree(Buffer.from(text), 'tree 1234')).toThrow(expect.objectContaining({ code: 'object-damaged' }))
})

test('what old and other writers leave out or write differently is read', () => {
  expect(decodeTree(Buffer.from('{"nodes":null}'), 'a test')).toEqual([])
  const [node] = decodeTree(
    Buffer.from(
      '{"nodes":[{"name":"a","type":"dir","extended_attributes":[{"name":"x","value":null}],"subtree":null,"new_field":1}]}',
    ),
    'a test',
  )
  expect(node).toMatchObject({ type: 'dir', content: null, extendedAttributes: [{ name: 'x', value: Buffer.alloc(0) }] })
})
