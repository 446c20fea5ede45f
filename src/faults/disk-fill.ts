import { randomFillSync } from 'node:crypto'
import { stat, statfs, unlink, open } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { absolutePath, sizeText } from '../catalog/index.ts'
import { formatSize, quote, systemCode } from '../kernel/index.ts'
import { absent, partly, present, type Sight } from './contract.ts'
import { defineFault } from './define-fault.ts'
import { bytesOf } from './size.ts'

const params = z.strictObject({
  directory: absolutePath.describe('A folder on the file system that is filled; the file that fills it is put there.'),
  fill: z
    .union([
      z.strictObject({ percent: z.number().gt(0).max(100).describe('Until that share of the whole is used, 0 to 100.') }),
      z.strictObject({ size: sizeText.describe('With that much.') }),
    ])
    .meta({ expected: '{ percent: N } or { size: SIZE }' })
    .describe('How far.'),
  leave: sizeText.describe('That much is left free in any case.').default('0B'),
})

interface Params {
  readonly directory: string
  readonly fill: { readonly percent: number } | { readonly size: string }
  readonly leave: string
}

const traces = z.strictObject({ file: absolutePath, bytes: z.int().min(1), device: z.int() })
type Traces = z.infer<typeof traces>

const partBytes = 1024 * 1024
/** What file systems that keep the same bytes once (ZFS with `dedup`) look at has at least so many. */
const recordBytes = 4096

/** A file takes the room that others need. */
export const diskFill = defineFault<Params, Traces>({
  kind: 'disk.fill',
  description:
    'Fills a file system with one file, named after the injection, of real bytes: others get ENOSPC. As root it takes what is reserved for root too, unless `leave` says otherwise. Keep Holdfast’s own state on another file system where you can; if it is on this one, the fault is taken back all the same.',
  example: { directory: '/var/lib/postgresql', fill: { percent: 95 }, leave: '64MiB' },
  params,
  traces,
  expiry: 'never',

  async plan({ directory, fill, leave }, { id }) {
    const { dev } = await stat(directory)
    const { bsize, blocks, bfree, bavail } = await statfs(directory)
    const available = (process.geteuid?.() === 0 ? bfree : bavail) * bsize
    const wanted = 'size' in fill ? bytesOf(fill.size) : Math.floor(((fill.percent / 100) * blocks - (blocks - bfree)) * bsize)
    const bytes = Math.max(0, Math.min(wanted, available - bytesOf(leave)))
    return {
      targets: bytes === 0 ? [] : [`${formatSize(bytes)} of the file system of ${directory}`],
      traces: { file: join(directory, `.holdfast-fill-${id}`), bytes, device: dev },
    }
  },

  async inject(_params, { file, bytes }, _context, signal) {
    await using handle = await open(file, 'wx', 0o600)
    await fillFile(handle, bytes, signal)
  },

  look: lookAtFile,

  async undo({ file, device }) {
    // Another file system may be mounted there by now: what is ours is not in it.
    const found = await stat(file).catch(missing)
    if (found?.dev === device) await unlink(file).catch(missing)
  },

  manualUndo: ({ file }) => [`rm ${quote(file)}`],
})

/** Not sparse, and of bytes that no file system packs together. A disk that is full before its time is as full as it was meant to be. */
async function fillFile(handle: Awaited<ReturnType<typeof open>>, bytes: number, signal: AbortSignal): Promise<void> {
  const part = randomFillSync(Buffer.allocUnsafe(partBytes))
  for (let offset = 0; offset < bytes; offset += partBytes) {
    signal.throwIfAborted()
    for (let at = 0; at < partBytes; at += recordBytes) part.writeUIntLE((offset + at) / recordBytes, at, 6)
    try {
      await handle.write(part, 0, Math.min(partBytes, bytes - offset))
    } catch (error) {
      if (systemCode(error) === 'ENOSPC') return
      throw error
    }
  }
}

async function lookAtFile({ file, bytes, device }: Traces): Promise<Sight> {
  const found = await stat(file).catch(missing)
  if (found?.dev !== device) return absent
  if (found.size >= bytes) return present
  const { bavail } = await statfs(file)
  return bavail === 0 ? present : partly(`${formatSize(found.size)} of ${formatSize(bytes)} are written`)
}

function missing(error: unknown): undefined {
  const code = systemCode(error)
  if (code !== 'ENOENT' && code !== 'ENOTDIR') throw error
}
