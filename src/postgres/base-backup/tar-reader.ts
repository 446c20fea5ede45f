import { HoldfastError } from '../../kernel/index.ts'
import { ByteQueue } from './byte-queue.ts'

export interface TarEntry {
  readonly name: string
  readonly type: 'file' | 'directory' | 'symlink'
  readonly mode: number
  readonly uid: number
  readonly gid: number
  readonly user: string
  readonly group: string
  /** Seconds since 1970. */
  readonly mtime: number
  readonly sizeBytes: number
  readonly linkTarget: string
  /** The file's bytes. What is not consumed before the next entry is asked for is skipped. */
  readonly content: AsyncIterable<Buffer>
}

const blockBytes = 512
/** A pax header holds a few short records; more is not one. */
const maxPaxBytes = 1024 * 1024

/**
 * The entries of a tar archive as PostgreSQL streams it: ustar (POSIX.1-1988), sizes from 8 GiB on in base 256 (GNU), names with their
 * prefix field, and pax extended headers for path, linkpath and size (POSIX.1-2001), which a proxy or another server may write.
 * Throws `postgres-failed`, naming the offset, for a bad header checksum or an entry of another kind. Memory: one header.
 */
export async function* readTar(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<TarEntry, void, undefined> {
  const queue = new ByteQueue(pieces)
  let extended = new Map<string, string>()
  for (;;) {
    const start = queue.offset
    const header = await queue.read(blockBytes)
    if (header === undefined) return
    if (header.every((byte) => byte === 0)) continue
    checkHeader(header, start)
    const flag = String.fromCharCode(header[156]!)
    const sizeBytes = Number(extended.get('size') ?? numberField(header, 124, 12, start))
    const padding = (blockBytes - (sizeBytes % blockBytes)) % blockBytes
    if (flag === 'x') {
      if (sizeBytes > maxPaxBytes) throw malformed(start, `a pax header of ${sizeBytes} bytes`)
      extended = paxRecords((await queue.read(sizeBytes)) ?? Buffer.alloc(0), start)
      await skip(queue.pieces(padding))
      continue
    }
    const type = entryType(flag)
    if (type === undefined) throw malformed(start, `an entry of type '${flag}'`)
    const prefix = textField(header, 345, 155)
    const name = textField(header, 0, 100)
    const content = queue.pieces(type === 'file' ? sizeBytes : 0)
    yield {
      name: extended.get('path') ?? (prefix === '' ? name : `${prefix}/${name}`),
      type,
      mode: numberField(header, 100, 8, start) & 0o7777,
      uid: numberField(header, 108, 8, start),
      gid: numberField(header, 116, 8, start),
      user: textField(header, 265, 32),
      group: textField(header, 297, 32),
      mtime: numberField(header, 136, 12, start),
      sizeBytes: type === 'file' ? sizeBytes : 0,
      linkTarget: extended.get('linkpath') ?? textField(header, 157, 100),
      content,
    }
    extended = new Map()
    await skip(content)
    if (type === 'file') await skip(queue.pieces(padding))
  }
}

function entryType(flag: string): TarEntry['type'] | undefined {
  if (flag === '0' || flag === '\0') return 'file'
  if (flag === '5') return 'directory'
  return flag === '2' ? 'symlink' : undefined
}

function checkHeader(header: Buffer, offset: number): void {
  let sum = 0
  for (let index = 0; index < blockBytes; index++) sum += index >= 148 && index < 156 ? 0x20 : header[index]!
  if (sum !== numberField(header, 148, 8, offset)) throw malformed(offset, 'a header with a wrong checksum')
}

/** Octal text, or base 256 with the highest bit of the first byte set. */
function numberField(header: Buffer, start: number, length: number, offset: number): number {
  const field = header.subarray(start, start + length)
  if ((field[0]! & 0x80) !== 0) {
    let value = BigInt(field[0]! & 0x7f)
    for (const byte of field.subarray(1)) value = (value << 8n) | BigInt(byte)
    if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw malformed(offset, `a number above 2^53 at byte ${start} of a header`)
    return Number(value)
  }
  const text = textField(header, start, length).trim()
  if (!/^[0-7]*$/.test(text)) throw malformed(offset, `a number that is not octal at byte ${start} of a header`)
  return text === '' ? 0 : Number.parseInt(text, 8)
}

function textField(header: Buffer, start: number, length: number): string {
  const field = header.subarray(start, start + length)
  const end = field.indexOf(0)
  return field.toString('utf8', 0, end < 0 ? length : end)
}

/** `LENGTH KEY=VALUE\n`, LENGTH in decimal and counting all of it. */
function paxRecords(bytes: Buffer, offset: number): Map<string, string> {
  const records = new Map<string, string>()
  for (let at = 0; at < bytes.length;) {
    const space = bytes.indexOf(0x20, at)
    const length = Number(bytes.toString('latin1', at, space))
    const record = bytes.toString('utf8', space + 1, at + length - 1)
    const equals = record.indexOf('=')
    if (space < 0 || !Number.isInteger(length) || length < 5 || equals < 1)
      throw malformed(offset, 'a pax header that cannot be read')
    records.set(record.slice(0, equals), record.slice(equals + 1))
    at += length
  }
  return records
}

async function skip(pieces: AsyncIterable<Buffer>): Promise<void> {
  for await (const piece of pieces) void piece
}

function malformed(offset: number, what: string): HoldfastError {
  return new HoldfastError('postgres-failed', {
    message: `the server's archive holds ${what} at byte ${offset}`,
    details: { offset },
  })
}
