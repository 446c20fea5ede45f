import { hash } from 'node:crypto'
import { closeSync, constants, fstatSync, openSync, readSync, type BigIntStats } from 'node:fs'
import { maxBlobBytes, plaintextBytes, type BlobIndex } from '../../repository/index.ts'
import type { Breather } from './breather.ts'

/** What a file of the target has of its content already. */
export interface KeptContent {
  /** Places in the content whose blob is where it belongs. */
  readonly places: ReadonlySet<number>
  readonly bytes: number
  /** What the file was when it was looked at. */
  readonly identity: string
}

/** As long as this is the same, nobody has written to the file. */
export function identityOf({ dev, ino, size, mtimeNs, ctimeNs }: BigIntStats): string {
  return [dev, ino, size, mtimeNs, ctimeNs].join(' ')
}

/** Compares a regular file with what it should be, blob by blob. `isWhole` when that is all of it, and nothing is behind. */
export async function compareContent(
  path: Buffer,
  content: readonly string[],
  index: BlobIndex,
  breathe: Breather,
): Promise<KeptContent & { readonly isWhole: boolean }> {
  const file = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW)
  try {
    const stat = fstatSync(file, { bigint: true })
    const places = new Set<number>()
    let [at, bytes] = [0, 0]
    for (const [place, id] of content.entries()) {
      await breathe()
      const location = index.lookup('data', id)
      // What comes behind it cannot be told the place of.
      if (location === undefined || plaintextBytes(location) > maxBlobBytes) break
      const length = plaintextBytes(location)
      if (isBlobAt(file, { at, length, id })) {
        places.add(place)
        bytes += length
      }
      at += length
    }
    return { places, bytes, identity: identityOf(stat), isWhole: places.size === content.length && stat.size === BigInt(at) }
  } finally {
    closeSync(file)
  }
}

function isBlobAt(
  file: number,
  { at, length, id }: { readonly at: number; readonly length: number; readonly id: string },
): boolean {
  const bytes = Buffer.allocUnsafe(length)
  for (let filled = 0; filled < length;) {
    const count = readSync(file, bytes, filled, length - filled, at + filled)
    if (count === 0) return false
    filled += count
  }
  return hash('sha256', bytes) === id
}
