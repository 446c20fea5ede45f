import fc from 'fast-check'
import { expect, test } from 'vitest'
import { readTar, type TarEntry } from './tar-reader.ts'

interface Fields {
  readonly name: string
  readonly flag?: string
  readonly size?: number
  readonly link?: string
  readonly prefix?: string
  readonly binarySize?: bigint
}

/** A ustar header as PostgreSQL's tarCreateHeader writes it. */
function header({ name, flag = '0', size = 0, link = '', prefix = '', binarySize }: Fields): Buffer {
  const block = Buffer.alloc(512)
  const octal = (value: number, at: number, length: number) => block.write(value.toString(8).padStart(length - 1, '0'), at)
  block.write(name, 0)
  octal(0o600, 100, 8)
  octal(101, 108, 8)
  octal(104, 116, 8)
  octal(size, 124, 12)
  if (binarySize !== undefined) {
    block.fill(0, 124, 136)
    block[124] = 0x80
    block.writeBigUInt64BE(binarySize, 128)
  }
  octal(1_700_000_000, 136, 12)
  block.write(flag, 156)
  block.write(link, 157)
  block.write('ustar\u000000', 257, 'latin1')
  block.write('postgres', 265)
  block.write('postgres', 297)
  block.write(prefix, 345)
  block.fill(0x20, 148, 156)
  octal(
    block.reduce((sum, byte) => sum + byte, 0),
    148,
    7,
  )
  return block
}

const padded = (bytes: Uint8Array) => Buffer.concat([bytes, Buffer.alloc((512 - (bytes.length % 512)) % 512)])
const file = (name: string, content: Uint8Array) => Buffer.concat([header({ name, size: content.length }), padded(content)])

async function* cut(bytes: Buffer, length: number) {
  for (let at = 0; at < bytes.length; at += length) yield bytes.subarray(at, at + length)
}

async function entries(bytes: Buffer, length = 100, consume = true): Promise<(Omit<TarEntry, 'content'> & { bytes: Buffer })[]> {
  const found: (Omit<TarEntry, 'content'> & { bytes: Buffer })[] = []
  for await (const { content, ...entry } of readTar(cut(bytes, length))) {
    const pieces: Buffer[] = []
    if (consume) for await (const piece of content) pieces.push(piece)
    found.push({ ...entry, bytes: Buffer.concat(pieces) })
  }
  return found
}

test('files come out byte for byte however the stream is cut, whether the one before was read or not', async () => {
  const content = fc.uint8Array({ maxLength: 1500 })
  await fc.assert(
    fc.asyncProperty(
      fc.array(content, { maxLength: 4 }),
      fc.integer({ min: 1, max: 1200 }),
      fc.boolean(),
      async (contents, length, consume) => {
        const archive = Buffer.concat([...contents.map((bytes, at) => file(`f${at}`, bytes)), Buffer.alloc(1024)])
        const found = await entries(archive, length, consume)
        expect(found.map(({ name, sizeBytes }) => [name, sizeBytes])).toEqual(
          contents.map((bytes, at) => [`f${at}`, bytes.length]),
        )
        expect(found.map(({ bytes }) => bytes)).toEqual(contents.map((bytes) => Buffer.from(consume ? bytes : [])))
      },
    ),
    { numRuns: 60 },
  )
})

test('folders, links, owners, modes and times are kept', async () => {
  const archive = Buffer.concat([
    header({ name: 'pg_wal/', flag: '5' }),
    header({ name: 'pg_tblspc/16384', flag: '2', link: '/srv/fast' }),
  ])
  expect(await entries(archive)).toMatchObject([
    { name: 'pg_wal/', type: 'directory', mode: 0o600, uid: 101, gid: 104, user: 'postgres', mtime: 1_700_000_000 },
    { name: 'pg_tblspc/16384', type: 'symlink', linkTarget: '/srv/fast', sizeBytes: 0 },
  ])
})

test('names longer than a field come from the prefix or from a pax header', async () => {
  const long = 'a/'.repeat(120)
  const record = (key: string, value: string) => {
    const rest = ` ${key}=${value}\n`
    const length = rest.length + 3
    return `${length}${rest}`
  }
  const pax = Buffer.from(record('path', long))
  const archive = Buffer.concat([
    header({ name: 'end', prefix: 'the/beginning' }),
    header({ name: 'PaxHeader', flag: 'x', size: pax.length }),
    padded(pax),
    file('cut', Buffer.from('x')),
    file('next', Buffer.from('y')),
  ])
  expect((await entries(archive)).map(({ name, bytes }) => [name, bytes.toString()])).toEqual([
    ['the/beginning/end', ''],
    [long, 'x'],
    ['next', 'y'],
  ])
})

test('a size from 8 GiB on is read in base 256', async () => {
  const size = 9n * 1024n ** 3n
  const first = await readTar(cut(header({ name: 'big', binarySize: size }), 512)).next()
  expect(first.value).toMatchObject({ name: 'big', sizeBytes: Number(size) })
})

test('a header with a flipped bit is refused, with its offset', async () => {
  const archive = Buffer.concat([file('one', Buffer.from('x')), file('two', Buffer.from('y'))])
  archive[1024 + 3]! ^= 1
  await expect(entries(archive)).rejects.toMatchObject({ code: 'postgres-failed', details: { offset: 1024 } })
})

test('an archive that ends inside a file is refused', async () => {
  const archive = file('one', Buffer.alloc(2000))
  await expect(entries(archive.subarray(0, 1500))).rejects.toThrow(/ends at byte 1500, with 1012 bytes missing/)
})

test('a kind of entry that PostgreSQL never sends is refused, not skipped', async () => {
  await expect(entries(header({ name: 'hard', flag: '1', link: 'one' }))).rejects.toThrow(/an entry of type '1'/)
})
