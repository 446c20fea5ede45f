import { open, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { formatLsn, parseLsn, type Lsn } from '../lsn.ts'
import type { WalRange } from './manifest.ts'

export interface RequiredSegment {
  readonly name: string
  readonly start: Lsn
  readonly sizeBytes: number
}

/** XLogLongPageHeaderData, the first page of each segment: page address at 8, system identifier at 24, segment size at 32. */
const headerBytes = 40
const pageAddressOffset = 8
const segmentSizeOffset = 32
const usualSegmentBytes = 16 * 1024 * 1024

/** The segments that hold a range. Their size is read from any segment that is there. */
export async function requiredSegments(dataDir: string, range: WalRange): Promise<RequiredSegment[]> {
  const sizeBytes = await segmentBytes(dataDir)
  const size = BigInt(sizeBytes)
  const first = parseLsn(range.startLsn) / size
  // The end is exclusive: one that lies on a boundary needs nothing of the next segment.
  const last = (parseLsn(range.endLsn) - 1n) / size
  const perLog = 0x1_0000_0000n / size
  const hex = (value: bigint) => value.toString(16).toUpperCase().padStart(8, '0')
  const segments: RequiredSegment[] = []
  for (let number = first; number <= last; number++) {
    const name = `${hex(BigInt(range.timeline))}${hex(number / perLog)}${hex(number % perLog)}`
    segments.push({ name, start: number * size, sizeBytes })
  }
  return segments
}

/** Why a segment cannot be replayed; undefined when it looks right: there, whole, and at its place in the WAL. */
export async function walSegmentProblem(dataDir: string, segment: RequiredSegment): Promise<string | undefined> {
  const read = await readHeader(join(dataDir, 'pg_wal', segment.name))
  if (!read) return 'this WAL segment is missing, and the backup cannot become consistent without it'
  if (read.sizeBytes !== segment.sizeBytes) return `it has ${read.sizeBytes} bytes instead of ${segment.sizeBytes}`
  const address = read.header.readBigUInt64LE(pageAddressOffset)
  return address === segment.start
    ? undefined
    : `it holds the WAL of ${formatLsn(address)} instead of ${formatLsn(segment.start)}`
}

async function segmentBytes(dataDir: string): Promise<number> {
  const names = await readdir(join(dataDir, 'pg_wal')).catch(() => [])
  for (const name of names.filter((candidate) => /^[0-9A-F]{24}$/.test(candidate))) {
    const size = (await readHeader(join(dataDir, 'pg_wal', name)))?.header.readUInt32LE(segmentSizeOffset) ?? 0
    // A power of two from 1 MiB to 1 GiB, or it is no header.
    if (size >= 2 ** 20 && size <= 2 ** 30 && (size & (size - 1)) === 0) return size
  }
  return usualSegmentBytes
}

async function readHeader(path: string): Promise<{ header: Buffer; sizeBytes: number } | undefined> {
  const handle = await open(path, 'r').catch(() => undefined)
  if (!handle) return undefined
  try {
    const header = Buffer.alloc(headerBytes)
    await handle.read(header, 0, headerBytes, 0)
    return { header, sizeBytes: (await handle.stat()).size }
  } finally {
    await handle.close()
  }
}
