import { glob, readFile } from 'node:fs/promises'
import { HoldfastError } from '../../../kernel/index.ts'
import { meaningfulLines } from './read-patterns.ts'

export interface TargetFiles {
  readonly filesFrom?: readonly string[]
  readonly filesFromVerbatim?: readonly string[]
  readonly filesFromRaw?: readonly string[]
}

/**
 * Paths from files (`-` is stdin). Of --files-from they are patterns, one a line, without empty lines and comments; what matches nothing is
 * told to `note`. Of the others each is a path as it stands, ended by a line end or by a zero byte; those need not be UTF-8.
 */
export async function readTargets(
  { filesFrom = [], filesFromVerbatim = [], filesFromRaw = [] }: TargetFiles,
  note: (text: string) => void,
): Promise<(string | Buffer)[]> {
  const targets: (string | Buffer)[] = []
  for (const file of filesFrom) {
    for (const pattern of meaningfulLines((await read(file)).toString('utf8'))) {
      const found = await expand(pattern)
      if (found.length === 0) note(`'${pattern}' of ${file} matches nothing`)
      targets.push(...found)
    }
  }
  for (const file of filesFromVerbatim) targets.push(...split(await read(file), 0x0a).map((line) => withoutReturn(line)))
  for (const file of filesFromRaw) {
    const bytes = await read(file)
    if (bytes.length > 0 && bytes.at(-1) !== 0)
      throw new HoldfastError('usage', {
        message: `${file} does not end in a zero byte`,
        hint: 'was it cut short? find -print0 writes such files',
      })
    targets.push(...split(bytes, 0))
  }
  return targets
}

async function read(file: string): Promise<Buffer> {
  if (file !== '-') return readFile(file)
  return Buffer.concat(await Array.fromAsync(process.stdin as AsyncIterable<Buffer>))
}

async function expand(pattern: string): Promise<string[]> {
  if (!/[*?[\\]/.test(pattern)) return [pattern]
  return (await Array.fromAsync(glob(pattern))).toSorted()
}

/** The parts that are not empty. */
function split(bytes: Buffer, end: number): Buffer[] {
  const parts: Buffer[] = []
  for (let start = 0; start < bytes.length;) {
    const found = bytes.indexOf(end, start)
    const stop = found === -1 ? bytes.length : found
    if (stop > start) parts.push(bytes.subarray(start, stop))
    start = stop + 1
  }
  return parts
}

function withoutReturn(line: Buffer): Buffer {
  return line.at(-1) === 0x0d ? line.subarray(0, -1) : line
}
