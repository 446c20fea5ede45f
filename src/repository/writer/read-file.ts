import { closeSync, constants, fstatSync, openSync, readSync, type BigIntStats } from 'node:fs'
import { messageOf, systemCode } from '../../kernel/index.ts'
import type { ContentReader } from './content-reader.ts'

/** Why a file could not be read, and by which error of the system; failures to store are other errors. */
export class Unreadable extends Error {
  readonly code: string | undefined

  constructor(why: unknown) {
    super(typeof why === 'string' ? why : messageOf(why))
    this.code = systemCode(why)
  }
}

/**
 * Reads a regular file into `reader`, if it is wanted. Symbolic links are not followed, and a FIFO does not block: what stands at the path may
 * have changed since it was seen. Gives what the file was before it was read; undefined when it is not wanted. Throws Unreadable.
 */
export async function readFile(
  path: Buffer,
  reader: ContentReader,
  { wants, onRead }: { readonly wants: (stat: BigIntStats) => boolean; readonly onRead: (bytes: number) => void },
): Promise<BigIntStats | undefined> {
  const file = attempt(() => openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK))
  try {
    const stat = attempt(() => fstatSync(file, { bigint: true }))
    if (!stat.isFile()) throw new Unreadable('it is not a regular file any more')
    if (!wants(stat)) return undefined
    reader.begin()
    let left = stat.size
    const read = (memory: Uint8Array) => {
      const count = attempt(() => readSync(file, memory))
      left -= BigInt(count)
      onRead(count)
      return count
    }
    // Where a size is known, as it is not in /proc, the file is not asked whether there is more.
    await reader.readAll(read, () => left === 0n)
    await reader.end()
    return stat
  } finally {
    closeSync(file)
  }
}

/** Throws Unreadable for whatever the work throws. */
export function attempt<Result>(work: () => Result): Result {
  try {
    return work()
  } catch (error) {
    throw new Unreadable(error)
  }
}
