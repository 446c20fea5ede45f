import { randomBytes } from 'node:crypto'
import { getEventListeners } from 'node:events'
import { mkdtempDisposableSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { assert, expect, test } from 'vitest'
import { HoldfastError, sha256Hex } from '../../kernel/index.ts'
import { createMemoryBackend, type Backend } from '../../storage/index.ts'
import { createBlobIndex, type BlobIndex } from '../blob-index.ts'
import { decodeBlob, type BlobEntry } from '../blob.ts'
import type { IndexedPack } from '../index-file.ts'
import { locateHeader, openPackHeader } from '../pack-header.ts'
import { sealKeys, type MasterKey } from '../seal.ts'
import { createBlobWriter } from './blob-writer.ts'
import type { BlobWriter, SavedContent, SaveFile } from './contract.ts'

const MiB = 1024 * 1024
const masterKey: MasterKey = { encrypt: randomBytes(32), macK: randomBytes(16), macR: randomBytes(16) }
const keys = sealKeys(masterKey)
const config = { version: 2, id: '0'.repeat(64), chunkerPolynomial: 0x3da3358b4dc173n } as const

/** A writer on a backend, with what it wrote to its indexes. */
function writerOn(backend: Backend, index: BlobIndex = createBlobIndex()) {
  const indexed: IndexedPack[] = []
  const writer = createBlobWriter(
    { backend, masterKey, config, index, storeIndex: async (packs) => void indexed.push(...packs) },
    { workers: 2 },
  )
  return { writer, indexed, index }
}

const moduleOf = (text: string) => new URL(`data:text/javascript,${encodeURIComponent(text)}`)
const contentMaker = moduleOf('export const openFileMaker = () => ({ wants: () => true, make: ({ saved }) => saved })')

/** Saves files, and gives what became of their content. */
function contentOf(writer: BlobWriter): SaveFile<SavedContent> {
  return writer.fileSaver({ entry: contentMaker, data: undefined })
}

/** Every blob of every pack by its id, verified. */
async function blobsIn(backend: Backend): Promise<Map<string, { entry: BlobEntry; pack: string; plaintext: Uint8Array }>> {
  const blobs = new Map<string, { entry: BlobEntry; pack: string; plaintext: Uint8Array }>()
  for await (const { name: pack } of backend.list('data')) {
    const bytes = await backend.get('data', pack)
    expect(sha256Hex(bytes)).toBe(pack)
    const { offset, length } = locateHeader(bytes.length, bytes.subarray(-4), pack)
    for (const entry of openPackHeader(keys, bytes.subarray(offset, offset + length), bytes.length, pack)) {
      expect(blobs.has(entry.id)).toBe(false)
      const stored = bytes.subarray(entry.offset, entry.offset + entry.length)
      blobs.set(entry.id, { entry, pack, plaintext: decodeBlob(keys, stored, entry, pack) })
    }
  }
  return blobs
}

async function* inPieces(bytes: Uint8Array, pieceBytes: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += pieceBytes) yield bytes.subarray(at, at + pieceBytes)
}

test('content comes back from the packs byte for byte, and a file and a stream of it are cut alike', async () => {
  using folder = mkdtempDisposableSync(join(tmpdir(), 'holdfast-writer-'))
  const path = join(folder.path, 'content')
  const bytes = randomBytes(20 * MiB + 12345)
  writeFileSync(path, bytes)
  await using backend = createMemoryBackend()
  const { writer, indexed } = writerOn(backend)
  await using _ = writer
  const file = await contentOf(writer)(path)
  assert(file !== undefined)
  const stream = await writer.saveStream(inPieces(bytes, 777_777))
  await writer.flush()

  expect(file.sizeBytes).toBe(bytes.length)
  expect(file.content.length).toBeGreaterThan(3)
  expect(stream).toMatchObject({ content: file.content, sizeBytes: bytes.length, newBlobs: 0, addedBytes: 0 })
  const blobs = await blobsIn(backend)
  expect(Buffer.concat(file.content.map((id) => blobs.get(id)?.plaintext ?? Buffer.of())).equals(bytes)).toBe(true)
  expect(indexed.flatMap((pack) => pack.blobs.map((blob) => blob.id)).toSorted()).toEqual([...blobs.keys()].toSorted())
  expect(writer.totals()).toMatchObject({ dataBlobs: blobs.size, addedBytes: bytes.length, bytesRead: 2 * bytes.length })
})

test('empty content has no blobs', async () => {
  await using backend = createMemoryBackend()
  const { writer } = writerOn(backend)
  await using _ = writer
  expect(await writer.saveStream(inPieces(Buffer.of(), 1))).toMatchObject({ content: [], sizeBytes: 0 })
})

test('trees and content never share a pack', async () => {
  await using backend = createMemoryBackend()
  const { writer } = writerOn(backend)
  await using _ = writer
  await Promise.all(
    Array.from({ length: 40 }, async (_, index) => {
      await writer.saveTree(Buffer.from(`{"nodes":[]} ${index}\n`))
      await writer.saveStream(inPieces(randomBytes(1000), 100))
    }),
  )
  await writer.flush()
  const blobs = [...(await blobsIn(backend)).values()]
  const packsOf = (type: string) => new Set(blobs.filter(({ entry }) => entry.type === type).map(({ pack }) => pack))
  expect(packsOf('data').intersection(packsOf('tree')).size).toBe(0)
  // What the workers had left over was put together.
  expect([packsOf('data').size, packsOf('tree').size]).toEqual([1, 1])
})

test('trees are stored compressed, and content that does not shrink is not', async () => {
  await using backend = createMemoryBackend()
  const { writer } = writerOn(backend)
  await using _ = writer
  const { id: tree } = await writer.saveTree(randomBytes(100))
  const random = await writer.saveStream(inPieces(randomBytes(5000), 5000))
  const zeros = await writer.saveStream(inPieces(Buffer.alloc(5000), 5000))
  await writer.flush()
  const blobs = await blobsIn(backend)
  const uncompressed = (id = '') => blobs.get(id)?.entry.uncompressedLength
  expect([uncompressed(tree), uncompressed(random.content[0]), uncompressed(zeros.content[0])]).toEqual([100, undefined, 5000])
})

test('what an index names is not stored again', async () => {
  await using backend = createMemoryBackend()
  const first = writerOn(backend)
  const bytes = randomBytes(3 * MiB)
  {
    await using writer = first.writer
    await writer.saveStream(inPieces(bytes, MiB))
    await writer.saveTree(Buffer.from('tree'))
    await writer.flush()
  }
  const packs = await Array.fromAsync(backend.list('data'))
  const second = writerOn(backend, first.index)
  await using writer = second.writer
  expect(await writer.saveStream(inPieces(bytes, MiB))).toMatchObject({ newBlobs: 0 })
  expect(await writer.saveTree(Buffer.from('tree'))).toMatchObject({ added: false })
  await writer.flush()
  expect(await Array.fromAsync(backend.list('data'))).toEqual(packs)
  expect(second.indexed).toEqual([])
})

test('while storage stands still, a stream is not read on: memory is bounded', async () => {
  await using memory = createMemoryBackend()
  const gate = Promise.withResolvers<void>()
  const backend: Backend = {
    ...memory,
    put: async (...args) => {
      await gate.promise
      await memory.put(...args)
    },
  }
  const { writer } = writerOn(backend)
  await using _ = writer
  let pulled = 0
  async function* endless() {
    for (; pulled < 200; pulled++) yield randomBytes(MiB)
  }
  const saving = writer.saveStream(endless())
  // On a busy machine the threads take their time to begin.
  await expect.poll(() => pulled, { timeout: 60_000 }).toBeGreaterThan(16)
  let before = -1
  while (before !== pulled) {
    before = pulled
    await new Promise((resolve) => setTimeout(resolve, 1000))
  }
  // Two packs of at most 24 MiB, one chunk under way, and the pieces between the threads.
  expect(pulled).toBeLessThan(70)
  gate.resolve()
  expect((await saving).sizeBytes).toBe(200 * MiB)
}, 90_000)

test('the first failure to store is final, and every later call throws it', async () => {
  await using memory = createMemoryBackend()
  const full = new HoldfastError('disk-full', { message: 'no space left' })
  const { writer, indexed } = writerOn({ ...memory, put: () => Promise.reject(full) })
  await using _ = writer
  await writer.saveStream(inPieces(randomBytes(1000), 1000))
  await expect(writer.flush()).rejects.toBe(full)
  await expect(writer.saveStream(inPieces(randomBytes(1000), 1000))).rejects.toBe(full)
  await expect(writer.saveTree(Buffer.from('tree'))).rejects.toBe(full)
  await expect(writer.flush()).rejects.toBe(full)
  expect(indexed).toEqual([])
})

test('a file that cannot be read is named, and the writer goes on', async () => {
  await using backend = createMemoryBackend()
  const { writer } = writerOn(backend)
  await using _ = writer
  await expect(contentOf(writer)('/nonexistent-for-holdfast')).rejects.toMatchObject({
    code: 'source-unreadable',
    message: expect.stringContaining('/nonexistent-for-holdfast') as string,
  })
  await expect(contentOf(writer)(tmpdir())).rejects.toMatchObject({ code: 'source-unreadable' })
  expect(await writer.saveStream(inPieces(Buffer.from('on'), 1))).toMatchObject({ sizeBytes: 2 })
  await writer.flush()
  expect((await blobsIn(backend)).size).toBe(1)
})

const maker = `export const openFileMaker = (limit) => ({
  wants: (stat) => stat.size <= BigInt(limit),
  make({ latin1Path, stat, saved }) {
    if (stat.size === 0n) throw Object.assign(new Error('EIO: what is there to make of nothing'), { code: 'EIO' })
    return { latin1Path, mtime: stat.mtimeNs, blobs: saved.content }
  },
})`

test('what is made of a file is made where it is read: of one that is wanted, and a failure is that of the file', async () => {
  using folder = mkdtempDisposableSync(join(tmpdir(), 'holdfast-writer-'))
  const write = (name: string, content: Buffer) => {
    writeFileSync(join(folder.path, name), content)
    return join(folder.path, name)
  }
  const [small, large, empty] = [
    write('small', Buffer.from('few')),
    write('large', randomBytes(100)),
    write('empty', Buffer.alloc(0)),
  ]
  await using backend = createMemoryBackend()
  const { writer } = writerOn(backend)
  await using _ = writer
  const [tenBytes, all] = [10, 1000].map((data) => writer.fileSaver({ entry: moduleOf(maker), data }))
  assert(tenBytes !== undefined && all !== undefined)
  expect(await tenBytes(small)).toEqual({
    latin1Path: small,
    mtime: statSync(small, { bigint: true }).mtimeNs,
    blobs: [sha256Hex(Buffer.from('few'))],
  })
  expect(await tenBytes(large)).toBeUndefined()
  expect(await all(large)).toMatchObject({ latin1Path: large })
  await expect(all(empty)).rejects.toMatchObject({ code: 'source-unreadable', details: { path: empty, code: 'EIO' } })
  await expect(all(join(folder.path, 'gone'))).rejects.toMatchObject({ details: { code: 'ENOENT' } })
  await writer.flush()
  expect((await blobsIn(backend)).size).toBe(2)
})

test('many saves under way end at once when they are stopped, and leave nothing at a signal that outlives them', async () => {
  using folder = mkdtempDisposableSync(join(tmpdir(), 'holdfast-writer-'))
  const path = join(folder.path, 'content')
  writeFileSync(path, randomBytes(1000))
  await using backend = createMemoryBackend()
  const { writer } = writerOn(backend)
  await using _ = writer
  const stopping = new AbortController()
  const { signal } = stopping
  const save = contentOf(writer)
  await Promise.all(Array.from({ length: 100 }, () => save(path, signal)))
  expect(getEventListeners(signal, 'abort')).toEqual([])
  const saves = Array.from({ length: 100 }, () => save(path, signal))
  expect(getEventListeners(signal, 'abort')).toHaveLength(1)
  const stop = new HoldfastError('interrupted', { message: 'stop' })
  stopping.abort(stop)
  const ended = await Promise.allSettled(saves)
  expect(ended.every((one) => one.status === 'rejected' && one.reason === stop)).toBe(true)
})

test('an error of the stream is passed on, and the writer goes on', async () => {
  await using backend = createMemoryBackend()
  const { writer } = writerOn(backend)
  await using _ = writer
  const broken = new Error('the connection broke')
  async function* pieces() {
    for (let piece = 0; piece < 5; piece++) yield randomBytes(MiB)
    throw broken
  }
  await expect(writer.saveStream(pieces())).rejects.toBe(broken)
  expect(await writer.saveStream(inPieces(Buffer.from('on'), 1))).toMatchObject({ sizeBytes: 2 })
})

test('an aborted save rejects with the reason', async () => {
  await using backend = createMemoryBackend()
  const { writer } = writerOn(backend)
  await using _ = writer
  const controller = new AbortController()
  async function* pieces() {
    yield randomBytes(MiB)
    controller.abort(new HoldfastError('interrupted', { message: 'stop' }))
    yield randomBytes(MiB)
    yield randomBytes(MiB)
  }
  await expect(writer.saveStream(pieces(), controller.signal)).rejects.toMatchObject({ code: 'interrupted' })
})
