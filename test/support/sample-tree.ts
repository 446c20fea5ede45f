import { createHash, hash, randomBytes } from 'node:crypto'
import {
  chmodSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { loadPosix } from '../../src/backup/index.ts'

const MiB = 1024 * 1024
const posix = loadPosix()

function inside(folder: string, name: Buffer | string): Buffer {
  return Buffer.concat([Buffer.from(`${folder}/`), Buffer.from(name as Buffer)])
}

/** Names that programs get wrong: quotes, newlines, control characters, bytes that are not UTF-8, spaces that do not look like ones. */
export const oddNames: readonly Buffer[] = [
  'line\nbreak',
  'tab\tand\\backslash',
  'quotes " and \' and `',
  '$(reboot); * ? [x]',
  ' leading and trailing ',
  'emoji 🎉 and ümlaut',
  'no-break\u00A0space, ideographic\u3000space',
  'zero\u200Bwidth, bom\uFEFF',
  '\u2028line separator',
  'control \u0001\u001B[31m\u007F',
  '<html>&amp;',
  '-rf',
  '...',
  'x'.repeat(255),
  Buffer.from([0x66, 0xff, 0xfe]),
  Buffer.from([0xc3, 0x28, 0xed, 0xa0, 0x80]),
  Buffer.from([0xe2, 0x82]),
].map((name) => Buffer.from(name as Buffer))

/** What `sampleTree` puts in beside the plain files. restic 0.14 loses bytes of link targets that are not UTF-8. */
export interface SampleOptions {
  readonly rawLinkTargets?: boolean
}

/**
 * A folder with everything that a file system has: large, small, empty and sparse files, odd names, special modes, times with nanoseconds
 * and before 1970, hard and symbolic links, a FIFO, and as root foreign owners and devices. A socket too, which no backup keeps.
 */
export async function sampleTree(folder: string, { rawLinkTargets = false }: SampleOptions = {}): Promise<void> {
  const write = (name: Buffer | string, content: Uint8Array | string) => writeFileSync(inside(folder, name), content)
  mkdirSync(`${folder}/deep/er/est`, { recursive: true })
  mkdirSync(`${folder}/names`)
  mkdirSync(`${folder}/empty`)
  write('random', randomBytes(3 * MiB + 17))
  write('zeros', new Uint8Array(2 * MiB + 1))
  write('exactly-one-chunk', randomBytes(512 * 1024))
  write('nothing', '')
  write('deep/er/est/text', 'some text\n'.repeat(1000))
  for (const name of oddNames) write(Buffer.concat([Buffer.from('names/'), name]), name)
  write('executable', '#!/bin/sh\n')
  chmodSync(`${folder}/executable`, 0o4755)
  write('secret', 'only root may read this')
  // Without root not even its owner could read it, and a backup would rightly be partial.
  chmodSync(`${folder}/secret`, process.getuid?.() === 0 ? 0o000 : 0o400)
  chmodSync(`${folder}/empty`, 0o1777)
  linkSync(`${folder}/random`, `${folder}/deep/same as random`)
  linkSync(`${folder}/random`, `${folder}/zz`)
  symlinkSync('deep/er', `${folder}/link`)
  symlinkSync('/nowhere/at all', `${folder}/dangling`)
  if (rawLinkTargets) symlinkSync(Buffer.from([0x2f, 0xff, 0x0a]), inside(folder, 'raw'))
  posix?.makeNode(inside(folder, 'fifo'), 0o010_644, 0n)
  if (process.getuid?.() === 0) {
    posix?.makeNode(inside(folder, 'null'), 0o020_666, 259n)
    const { lchownSync } = await import('node:fs')
    lchownSync(`${folder}/executable`, 1234, 5678)
    chmodSync(`${folder}/executable`, 0o4755)
    lchownSync(`${folder}/dangling`, 33, 33)
  }
  await leaveSocket(`${folder}/socket`)
  setTimes(inside(folder, 'random'), 1_500_000_000_123_456_789n)
  setTimes(inside(folder, 'nothing'), -1_234_567_890_123_456_789n)
  setTimes(inside(folder, 'link'), 1_600_000_000_000_000_001n)
  setTimes(inside(folder, 'zeros'), 1_700_000_000_120_000_000n)
  setTimes(inside(folder, 'deep/er'), 1_300_000_000_999_999_999n)
  setTimes(inside(folder, 'empty'), 951_782_400_000_000_000n)
}

export function setTimes(path: Buffer, ns: bigint): void {
  posix?.setTimes(path, { atimeNs: ns, mtimeNs: ns })
}

async function leaveSocket(path: string): Promise<void> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(path, resolve))
  // Closing removes the file; a killed server leaves it, which is what backups meet.
  const { renameSync } = await import('node:fs')
  renameSync(path, `${path}.left`)
  await new Promise((resolve) => server.close(resolve))
  renameSync(`${path}.left`, path)
}

/** Everything that a restore has to bring back of one entry. */
export interface Described {
  readonly path: string
  readonly type: string
  readonly mode: string
  readonly owner: string
  readonly mtimeNs: bigint
  readonly content?: string
  readonly target?: string
  readonly device?: bigint
  /** The first path with the same inode, for files with several names. */
  readonly sameAs?: string
}

/** Every entry below a folder in byte order, paths as latin1 text. Sockets are left out. */
export function describeTree(folder: string | Buffer): Described[] {
  const entries: Described[] = []
  const firstNames = new Map<bigint, string>()
  const top = Buffer.from(folder as Buffer)
  const walk = (directory: Buffer) => {
    for (const name of readdirSync(directory, { encoding: 'buffer' }).sort((a, b) => Buffer.compare(a, b))) {
      const path = Buffer.concat([directory, Buffer.from('/'), name])
      const stat = lstatSync(path, { bigint: true })
      if (stat.isSocket()) continue
      const shown = path.subarray(top.length + 1).toString('latin1')
      const sameAs = stat.isFile() && stat.nlink > 1n ? (firstNames.get(stat.ino) ?? shown) : undefined
      if (sameAs !== undefined) firstNames.set(stat.ino, sameAs)
      entries.push({
        path: shown,
        type: (Number(stat.mode) >> 12).toString(8),
        mode: (Number(stat.mode) & 0o7777).toString(8),
        owner: `${stat.uid}:${stat.gid}`,
        mtimeNs: stat.mtimeNs,
        ...(stat.isFile() && { content: hash('sha256', readFileSync(path)) }),
        ...(stat.isSymbolicLink() && { target: readlinkSync(path, { encoding: 'latin1' }) }),
        ...((stat.isCharacterDevice() || stat.isBlockDevice()) && { device: stat.rdev }),
        ...(sameAs !== undefined && { sameAs }),
      })
      if (stat.isDirectory()) walk(path)
    }
  }
  walk(top)
  return entries
}

/** One hash over a whole folder, for a quick comparison. */
export function treeHash(folder: string): string {
  const sum = createHash('sha256')
  for (const entry of describeTree(folder)) sum.update(Object.values(entry).map(String).join('\0'))
  return sum.digest('hex')
}
