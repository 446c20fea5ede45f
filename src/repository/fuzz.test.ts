import { randomBytes, scryptSync } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { mutatedBytes, mutatedJson, refusalOf } from '../../test/support/mutations.ts'
import { createMemoryBackend } from '../storage/index.ts'
import { createBlobIndex } from './blob-index.ts'
import { decodeBlob, encodeBlob } from './blob.ts'
import { decodeConfig } from './config.ts'
import { decodeIndex, encodeIndex } from './index-file.ts'
import { decodeKeyFile, encodeKeyFile, generateMasterKey, masterKeyJson } from './key-file.ts'
import { decodeLock, encodeLock, isStale } from './locks/lock-file.ts'
import { encodeHeaderLength, encodePackHeader, openWholePack } from './pack-header.ts'
import { openSealedArea } from './sealed-area.ts'
import { seal, sealKeys, unseal } from './seal.ts'
import { changeSnapshot, decodeSnapshot, describesSameState, encodeSnapshot } from './snapshot.ts'
import { decodeTree } from './tree/decode.ts'
import { encodeTree } from './tree/encode.ts'
import type { TreeNode } from './tree/node.ts'
import { decodeUnpacked, encodeUnpacked } from './unpacked.ts'

const master = generateMasterKey()
const keys = sealKeys(master)
const id = (digit: string) => digit.repeat(64)
const runs = { numRuns: Number(process.env.FUZZ_RUNS ?? 300) }

const node: TreeNode = {
  name: Buffer.from([0x66, 0xff]),
  type: 'file',
  mode: 0o644,
  mtime: 1_700_000_000_000_000_001n,
  atime: 0n,
  ctime: -1n,
  uid: 1,
  gid: 2,
  user: 'u',
  inode: 7n,
  deviceId: 3n,
  size: 9n,
  links: 2n,
  content: [id('a'), id('b')],
  extendedAttributes: [{ name: 'user.x', value: Buffer.from('v') }],
  genericAttributes: '{"windows.file_attributes":32}',
}
const valid = {
  config: Buffer.from(JSON.stringify({ version: 2, id: id('1'), chunker_polynomial: '3da3358b4dc173', chunker: 'rabin' })),
  index: encodeIndex([
    {
      id: id('c'),
      blobs: [
        { type: 'data', id: id('a'), offset: 0, length: 100, uncompressedLength: 200 },
        { type: 'tree', id: id('b'), offset: 100, length: 50 },
      ],
    },
  ]),
  snapshot: encodeSnapshot({
    time: '2026-01-02T03:04:05.6+01:00',
    tree: id('d'),
    parent: id('e'),
    paths: ['/a'],
    hostname: 'h',
    uid: 1,
    excludes: ['*.o'],
    tags: ['t'],
    original: id('f'),
  }),
  lock: encodeLock(true, Date.now()),
  tree: encodeTree([node, { ...node, name: Buffer.from('z'), type: 'dir', content: null, subtree: id('9') }]),
}

/** Nothing, or an error that says what is wrong with what: never one that only a defect of the program throws. */
async function endsCleanly(read: () => unknown, what: string): Promise<void> {
  const { code, message } = await refusalOf(read)
  expect(['nothing', 'object-damaged', 'pack-damaged', 'unsupported-repository']).toContain(code)
  expect(code === 'nothing' || message.includes(what), message).toBe(true)
  expect(message.length).toBeLessThan(1000)
}

/** What stands in a sealed file of its own: read as it is stored, sealed by whoever has the key, and altered by whoever has not. */
const files: Readonly<Record<string, { what: string; plain: Uint8Array; read: (plain: Uint8Array) => unknown }>> = {
  config: { what: 'this repository', plain: valid.config, read: (plain) => decodeConfig(keys, seal(keys, plain)) },
  'an index': {
    what: 'index c',
    plain: valid.index,
    read(plain) {
      const index = createBlobIndex()
      for (const pack of decodeIndex(plain, 'index c')) index.add(pack)
      for (const { type, id } of index.entries()) index.lookupAll(type, id)
    },
  },
  'a snapshot': {
    what: 'snapshot 11111111',
    plain: valid.snapshot,
    read(plain) {
      const snapshot = decodeSnapshot(id('1'), plain)
      decodeSnapshot(id('2'), changeSnapshot(plain, { tags: ['other'] }))
      expect(describesSameState(snapshot, snapshot)).toBe(true)
    },
  },
  'a lock': { what: 'lock 11111111', plain: valid.lock, read: (plain) => isStale(decodeLock(id('1'), plain), Date.now()) },
  'a tree': { what: 'tree t', plain: valid.tree, read: (plain) => decodeTree(plain, 'tree t') },
}

describe.each(Object.entries(files))('%s of any bytes', (_, { what, plain, read }) => {
  test('under its own seal is read, or refused in words', async () => {
    await read(plain)
    const word = what === 'this repository' ? 'repository' : what
    await fc.assert(
      fc.asyncProperty(mutatedJson(plain), (bytes) => endsCleanly(() => read(bytes), word)),
      runs,
    )
  })

  test('whose stored bytes were altered is refused', () => {
    const stored = encodeUnpacked(keys, plain, 2)
    const isIntact = (bytes: Uint8Array) => Buffer.compare(bytes, stored) === 0
    fc.assert(
      fc.property(
        mutatedBytes(stored).filter((bytes) => !isIntact(bytes)),
        (bytes) => {
          expect(() => decodeUnpacked(keys, bytes, what)).toThrow(expect.objectContaining({ code: 'object-damaged' }))
        },
      ),
      runs,
    )
  })
})

test('an encoding of any bytes under its own seal is read, or refused in words', async () => {
  const stored = encodeUnpacked(keys, valid.index, 2)
  const plain = unseal(keys, stored)
  const read = (bytes: Uint8Array) => endsCleanly(() => decodeUnpacked(keys, seal(keys, bytes), 'index c'), 'index c')
  await fc.assert(fc.asyncProperty(mutatedBytes(plain), read), runs)
})

describe('a key file', () => {
  const kdf = { N: 2, r: 8, p: 1 }
  test('of any bytes opens, does not open, or is refused in words', async () => {
    const file = await encodeKeyFile(master, 'secret', { kdf })
    const read = (bytes: Uint8Array) => endsCleanly(() => decodeKeyFile(bytes, 'secret', 'key k'), 'key k')
    await fc.assert(fc.asyncProperty(mutatedJson(file), read), runs)
  })

  test('that opens, and holds anything, is refused in words', async () => {
    const salt = randomBytes(64)
    const derived = scryptSync('secret', salt, 64, kdf)
    const wrapping = sealKeys({ encrypt: derived.subarray(0, 32), macK: derived.subarray(32, 48), macR: derived.subarray(48) })
    const holding = (plain: Uint8Array) => {
      const data = Buffer.from(seal(wrapping, plain)).toString('base64')
      return Buffer.from(JSON.stringify({ kdf: 'scrypt', ...kdf, salt: salt.toString('base64'), data }))
    }
    const read = (plain: Uint8Array) => endsCleanly(() => decodeKeyFile(holding(plain), 'secret', 'key k'), 'key k')
    await fc.assert(fc.asyncProperty(mutatedJson(Buffer.from(masterKeyJson(master))), read), runs)
  })

  test.each([
    { N: 2 ** 40, r: 8, p: 1 },
    { N: 2, r: 2 ** 30, p: 1 },
    { N: 2, r: 8, p: 2 ** 40 },
    { N: 2 ** 20, r: 8, p: 1000 },
    { N: 2, r: 2 ** 22, p: 8 },
  ])('that wants $N, $r and $p is refused before it takes memory or time', async (wanted) => {
    const fields = JSON.parse(Buffer.from(await encodeKeyFile(master, 'secret', { kdf })).toString('utf8')) as object
    const file = Buffer.from(JSON.stringify({ ...fields, ...wanted }))
    await expect(decodeKeyFile(file, 'secret', 'key k')).rejects.toMatchObject({ code: 'unsupported-repository' })
  })
})

describe('a pack', () => {
  const blob = (type: 'data' | 'tree', plain: Uint8Array) => {
    const target = new Uint8Array(plain.length + 1024)
    const entry = { type, id: id('a'), ...encodeBlob(keys, type, plain, target) }
    return { entry, stored: target.subarray(0, entry.length) }
  }
  const blobs = [blob('data', randomBytes(300)), blob('data', Buffer.alloc(5000)), blob('data', Buffer.from('text'))]
  const pack = (header: Uint8Array) => {
    const sealed = seal(keys, header)
    return Buffer.concat([...blobs.map(({ stored }) => stored), sealed, encodeHeaderLength(sealed.length)])
  }
  const header = encodePackHeader(blobs.map(({ entry }) => entry))

  test('with any header under its own seal is read, or refused in words', async () => {
    expect(openWholePack(keys, pack(header), 'pack')).toHaveLength(3)
    const read = (bytes: Uint8Array) => endsCleanly(() => openWholePack(keys, pack(bytes), 'pack'), 'pack')
    await fc.assert(fc.asyncProperty(mutatedBytes(header), read), runs)
  })

  test('of any bytes is read, or refused in words', async () => {
    const whole = pack(header)
    const read = (bytes: Uint8Array) => endsCleanly(() => openWholePack(keys, bytes, 'pack'), 'pack')
    await fc.assert(fc.asyncProperty(mutatedBytes(whole), read), runs)
  })

  test('whose blobs are not what the index says gives none of them', async () => {
    const { entry, stored } = blob('data', Buffer.alloc(5000))
    const number = fc.oneof(fc.nat(), fc.constantFrom(0, 4999, 5001, 2 ** 29, 2 ** 32 - 1), fc.constant(undefined))
    await fc.assert(
      fc.asyncProperty(number, fc.oneof(fc.constant(stored), mutatedBytes(stored)), async (uncompressedLength, bytes) => {
        const { uncompressedLength: _, ...plain } = entry
        const said = {
          ...plain,
          offset: 0,
          length: bytes.length,
          ...(uncompressedLength !== undefined && { uncompressedLength }),
        }
        await endsCleanly(() => {
          decodeBlob(keys, bytes, said, 'pack')
          throw new Error('its id is that of no bytes')
        }, 'pack')
      }),
      runs,
    )
  })
})

test('an object of an area of any bytes under its own seal is read, or refused in words', async () => {
  const backend = createMemoryBackend()
  const area = openSealedArea(backend, keys, 'holdfast/ledger')
  await area.put('a', Buffer.from('content of it'))
  const plain = unseal(keys, await backend.get('holdfast/ledger', 'a'))
  await fc.assert(
    fc.asyncProperty(mutatedBytes(plain), async (bytes) => {
      await backend.put('holdfast/ledger', 'a', seal(keys, bytes))
      await endsCleanly(() => area.get('a'), 'holdfast/ledger/a')
    }),
    runs,
  )
})
