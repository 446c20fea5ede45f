import { open, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { HoldfastError, systemCode } from '../../kernel/index.ts'
import { formatLsn, parseWalFileName, segmentNumber, walFileName, type Lsn } from '../lsn.ts'
import { readControlFile } from '../recovery/control-file.ts'
import { WalWalker, type WalRecord } from './records.ts'

/** The WAL that lies in a data directory, on the newest timeline that it has. */
export interface WalOnDisk {
  readonly dataDir: string
  readonly timeline: number
  readonly segmentBytes: number
  /** Numbers of the segments of that timeline that hold WAL, ascending. Files kept for later use, with old WAL in them, are left out. */
  readonly segments: readonly bigint[]
}

/** Looks into pg_wal. Throws `not-found` where there is no WAL. */
export async function walOnDisk(dataDir: string): Promise<WalOnDisk> {
  const { walSegmentBytes: segmentBytes } = await readControlFile(dataDir)
  const folder = join(dataDir, 'pg_wal')
  const files = (await readdir(folder)).flatMap((name) => parseWalFileName(name, segmentBytes) ?? [])
  const used: { timeline: number; segment: bigint }[] = []
  for (const file of files) if (await isInUse(folder, file, segmentBytes)) used.push(file)
  const timeline = Math.max(0, ...used.map((file) => file.timeline))
  if (timeline === 0) {
    throw new HoldfastError('not-found', {
      message: `there is no WAL in ${folder}`,
      hint: 'look whether pg_wal leads where it should',
    })
  }
  const segments = used.filter((file) => file.timeline === timeline).map(({ segment }) => segment)
  return { dataDir, timeline, segmentBytes, segments: segments.sort((a, b) => (a < b ? -1 : 1)) }
}

/** Its first page says that it begins where its name says. */
async function isInUse(folder: string, file: { timeline: number; segment: bigint }, segmentBytes: number): Promise<boolean> {
  const header = await readBytes(join(folder, walFileName(file.timeline, file.segment, segmentBytes)), 16)
  return (
    header?.length === 16 && header.readUInt8(1) === 0xd1 && header.readBigUInt64LE(8) === file.segment * BigInt(segmentBytes)
  )
}

/** The records that begin in the segment of `from` or later, to the last complete one. Nothing where that segment is gone. */
export async function* recordsOnDisk(
  disk: WalOnDisk,
  from: Lsn,
  signal?: AbortSignal,
): AsyncGenerator<WalRecord, void, undefined> {
  const { dataDir, timeline, segmentBytes, segments } = disk
  const first = segmentNumber(from, segmentBytes)
  const walker = new WalWalker(first * BigInt(segmentBytes), segmentBytes)
  for (let segment = first; segments.includes(segment) && walker.state === 'open'; segment++) {
    signal?.throwIfAborted()
    const bytes = await readBytes(join(dataDir, 'pg_wal', walFileName(timeline, segment, segmentBytes)), segmentBytes)
    if (bytes === undefined) return
    yield* walker.feed(bytes)
  }
}

/** Where the last complete record ends: as far as anybody can have it from this server. Throws `object-damaged` when no record can be read. */
export async function walEnd(dataDir: string, signal?: AbortSignal): Promise<{ readonly timeline: number; readonly lsn: Lsn }> {
  const disk = await walOnDisk(dataDir)
  // The last segment may hold nothing but the end of a record that began before it.
  for (const segment of disk.segments.toReversed().slice(0, 16)) {
    let end: Lsn | undefined
    for await (const record of recordsOnDisk(disk, segment * BigInt(disk.segmentBytes), signal)) end = record.end
    if (end !== undefined) return { timeline: disk.timeline, lsn: end }
  }
  throw new HoldfastError('object-damaged', {
    message: `no record can be read in the last WAL of ${dataDir}, which begins at ${formatLsn((disk.segments.at(-1) ?? 0n) * BigInt(disk.segmentBytes))}`,
  })
}

async function readBytes(path: string, length: number): Promise<Buffer | undefined> {
  try {
    await using file = await open(path, 'r')
    const { bytesRead, buffer } = await file.read(Buffer.alloc(length), 0, length, 0)
    return buffer.subarray(0, bytesRead)
  } catch (error) {
    // The server may remove a segment while we look.
    if (systemCode(error) === 'ENOENT') return undefined
    throw error
  }
}
