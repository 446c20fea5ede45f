import { statfsSync, type BigIntStats } from 'node:fs'

/** Of statfs(2): ext2 to ext4, XFS, Btrfs. */
const knownTypes = new Set([0xef53, 0x5846_5342, 0x9123_683e])
/** A file system's clock may be as coarse as this, and what was changed within it need not show in the ctime. */
const coarsestClockNs = 2_000_000_000n

/** Whether a file's ctime, being that of the parent snapshot, proves that its extended attributes are too. */
export type CtimeTrust = (path: string | Buffer, stat: BigIntStats) => boolean

/**
 * Linux sets the ctime whenever an extended attribute is set or removed, on the file systems named here: where it is the same and lies
 * before the backup that recorded it, asking for attributes would take as long as all the rest of a backup without changes. Elsewhere
 * (network file systems, FUSE, tmpfs of old kernels) nobody promises that, and they are asked for.
 *
 * @param recordedSinceNs when the parent's backup began; undefined when it does not say
 */
export function createCtimeTrust(recordedSinceNs: bigint | undefined): CtimeTrust {
  if (recordedSinceNs === undefined || process.platform !== 'linux') return () => false
  const before = recordedSinceNs - coarsestClockNs
  const isKnown = new Map<bigint, boolean>()
  let last: { readonly device: bigint; readonly known: boolean } | undefined
  return (path, { dev, ctimeNs }) => {
    if (ctimeNs >= before) return false
    if (last?.device === dev) return last.known
    let known = isKnown.get(dev)
    if (known === undefined) {
      known = hasKnownType(path)
      isKnown.set(dev, known)
    }
    last = { device: dev, known }
    return known
  }
}

function hasKnownType(path: string | Buffer): boolean {
  try {
    return knownTypes.has(statfsSync(path).type)
  } catch {
    return false
  }
}
