import { expect, test } from 'vitest'
import { HoldfastError } from '../../kernel/index.ts'
import type { SealedArea } from '../../storage/index.ts'
import { openWalArchive } from './archive.ts'
import type { WalArchive } from './contract.ts'
import { rangeToName } from './range.ts'

const size = 0x100000
const facts = { segmentBytes: size }

/** An area in a map: what the archive relies on, without a disk. */
function mapArea(objects = new Map<string, Uint8Array>()): SealedArea & { readonly objects: Map<string, Uint8Array> } {
  return {
    objects,
    async *list(prefix = '') {
      for (const [name, bytes] of objects) if (name.startsWith(prefix)) yield { name, sizeBytes: bytes.length }
    },
    async get(name) {
      const found = objects.get(name)
      if (!found) throw new HoldfastError('object-missing', { message: `${name} is missing` })
      return found
    },
    async put(name, bytes, options) {
      if (options?.ifAbsent === true && objects.has(name))
        throw new HoldfastError('already-exists', { message: `${name} is there` })
      objects.set(name, Buffer.from(bytes))
    },
    async delete(name) {
      objects.delete(name)
    },
  }
}

const content = (start: number, end: number) =>
  Buffer.from(Array.from({ length: end - start }, (_, index) => (start + index) % 251))

async function put(archive: WalArchive, start: number, end: number): Promise<void> {
  await archive.put({ timeline: 1, start: BigInt(start), end: BigInt(end) }, [content(start, end)], facts)
}

test('a segment is put together from overlapping ranges, zeros behind its end; a hole ends it', async () => {
  const archive = openWalArchive(mapArea(), '7')
  await put(archive, size, size + 100)
  await put(archive, size + 50, size + 300)
  await put(archive, size + 400, size + 500)
  const segment = await archive.readSegment(1, 1n)
  expect(segment?.end).toBe(BigInt(size + 300))
  expect(segment?.bytes.subarray(0, 300).equals(content(size, size + 300))).toBe(true)
  expect(segment?.bytes.subarray(300).every((byte) => byte === 0)).toBe(true)
  expect(await archive.readSegment(1, 2n)).toBeUndefined()
  expect(await archive.readSegment(2, 1n)).toBeUndefined()
})

test('a damaged range is an error, or the end where that is asked for; another range with the same bytes takes its place', async () => {
  const area = mapArea()
  const archive = openWalArchive(area, '7')
  await put(archive, size, size + 100)
  await put(archive, size + 100, size + 200)
  await put(archive, size + 200, size + 300)
  const damage = (start: number, end: number) => {
    const range = { timeline: 1, start: BigInt(size + start), end: BigInt(size + end) }
    area.objects.set(`7/${rangeToName(range)}`, Buffer.from('not a range'))
  }
  damage(100, 200)
  await expect(archive.readSegment(1, 1n)).rejects.toMatchObject({ code: 'object-damaged' })
  const before = await archive.readSegment(1, 1n, undefined, { untilDamage: true })
  expect(before).toMatchObject({ end: BigInt(size + 100), isDamaged: true })
  await put(archive, size + 50, size + 250)
  const around = await archive.readSegment(1, 1n, undefined, { untilDamage: true })
  expect(around?.end).toBe(BigInt(size + 300))
  expect(around?.isDamaged).toBeUndefined()
  damage(200, 300)
  expect(await archive.segmentBytes()).toBe(size)
})

test('a segment without its first byte is absent', async () => {
  const archive = openWalArchive(mapArea(), '7')
  await put(archive, size + 10, size + 300)
  expect(await archive.readSegment(1, 1n)).toBeUndefined()
})

test('the same bytes may be put again; others under the same name are refused', async () => {
  const archive = openWalArchive(mapArea(), '7')
  await put(archive, 0, 100)
  await put(archive, 0, 100)
  await expect(archive.put({ timeline: 1, start: 0n, end: 100n }, [Buffer.alloc(100)], facts)).rejects.toMatchObject({
    code: 'identity-mismatch',
  })
})

test('a range that was moved under another name, or whose length is wrong, is damaged', async () => {
  const area = mapArea()
  const archive = openWalArchive(area, '7')
  await put(archive, 0, 100)
  const [[name, bytes] = ['', Buffer.alloc(0)]] = [...area.objects]
  area.objects.set(name.replace('0000000000000064', '0000000000000065'), bytes)
  await expect(archive.get({ timeline: 1, start: 0n, end: 101n })).rejects.toMatchObject({ code: 'object-damaged' })
  area.objects.set(name, bytes.subarray(0, 90))
  await expect(archive.get({ timeline: 1, start: 0n, end: 100n })).rejects.toMatchObject({ code: 'object-damaged' })
})

test('tidying joins a finished segment into one object and leaves an unfinished one alone', async () => {
  const area = mapArea()
  const archive = openWalArchive(area, '7')
  await put(archive, 0, 1000)
  await put(archive, 0, size / 2)
  await put(archive, size / 2, size)
  await put(archive, size, size + 10)
  await put(archive, size + 10, size + 20)
  expect(await archive.tidy(1)).toBe(3)
  expect((await archive.contents()).ranges).toEqual([
    { timeline: 1, start: 0n, end: BigInt(size) },
    { timeline: 1, start: BigInt(size), end: BigInt(size + 10) },
    { timeline: 1, start: BigInt(size + 10), end: BigInt(size + 20) },
  ])
  expect((await archive.readSegment(1, 0n))?.bytes.equals(content(0, size))).toBe(true)
})

test('a reader that loses a range to a larger one between list and get looks again', async () => {
  const area = mapArea()
  const archive = openWalArchive(area, '7')
  await put(archive, 0, 100)
  await put(archive, 100, 200)
  const get = area.get.bind(area)
  let first = true
  area.get = async (name, signal) => {
    if (first) {
      first = false
      await put(archive, 0, 200)
      await archive.delete({ timeline: 1, start: 0n, end: 100n })
      await archive.delete({ timeline: 1, start: 100n, end: 200n })
    }
    return await get(name, signal)
  }
  expect((await archive.readSegment(1, 0n))?.end).toBe(200n)
})

test('another history of the same timeline is refused', async () => {
  const archive = openWalArchive(mapArea(), '7')
  await archive.putHistory(2, '1\t0/3000148\tpromoted\n')
  await archive.putHistory(2, '1\t0/3000148\tpromoted\n')
  await expect(archive.putHistory(2, '1\t0/4000000\tpromoted\n')).rejects.toMatchObject({ code: 'identity-mismatch' })
})

test('only the newest mark of a timeline is kept', async () => {
  const archive = openWalArchive(mapArea(), '7')
  await archive.putMark({ timeline: 1, lsn: 5n, completeUntilUs: 1000n }, size)
  await archive.putMark({ timeline: 1, lsn: 5n, completeUntilUs: 2000n }, size)
  expect((await archive.contents()).marks).toEqual([{ timeline: 1, lsn: 5n, completeUntilUs: 2000n }])
})
