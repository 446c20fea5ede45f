import { closeSync, constants, openSync, readSync, type BigIntStats } from 'node:fs'
import { createPathMatcher } from '../../backup/index.ts'
import { joinPath } from './join-path.ts'

export interface ExcludeOptions {
  /** restic's patterns (see createPathMatcher), in order: one that begins with `!` lets in again what those before it left out. */
  readonly excludes?: readonly string[]
  /** The same, with upper and lower case alike. */
  readonly iexcludes?: readonly string[]
  /** Folders that hold such a file are left out but for that file. */
  readonly markers?: readonly Marker[]
  /** Regular files of more bytes are left out. */
  readonly largerThan?: number
  /** Folders on other file systems than the targets are left empty, and whatever else is mounted there is left out. */
  readonly oneFileSystem?: boolean
}

export interface Marker {
  readonly name: string
  /** What the file must begin with; anything by default. */
  readonly header?: string
}

/** https://bford.info/cachedir/: what caches mark themselves with. */
export const cacheMarker: Marker = { name: 'CACHEDIR.TAG', header: 'Signature: 8a477f597d28d172789f06886806bc55' }

/** `NAME` or `NAME:HEADER`. */
export function parseMarker(text: string): Marker {
  const colon = text.indexOf(':')
  return colon === -1 ? { name: text } : { name: text.slice(0, colon), header: text.slice(colon + 1) }
}

/** What is left out, asked in the order in which things become known. */
export interface Exclusions {
  /** Whether `path` and `keptNames` may leave anything out at all. */
  readonly hasPatterns: boolean
  readonly hasMarkers: boolean
  /** What stands at this absolute path, and all below it with it. */
  readonly path: (path: string) => boolean
  /** Those names of a folder that are kept. */
  readonly keptNames: (folder: Buffer, names: readonly Buffer[]) => readonly Buffer[]
  readonly entry: (stat: BigIntStats) => boolean
  /** All that is in this folder. */
  readonly content: (folder: BigIntStats) => boolean
}

/** `devices` are those that the targets are on. */
export function createExclusions(options: ExcludeOptions, devices: ReadonlySet<bigint>): Exclusions {
  const { excludes = [], iexcludes = [], markers = [], largerThan, oneFileSystem = false } = options
  const byName = createExclude(excludes)
  const byFoldedName = createExclude(iexcludes, { ignoreCase: true })
  const isForeign = ({ dev }: BigIntStats) => oneFileSystem && !devices.has(dev)
  const isTooLarge = (stat: BigIntStats) => largerThan !== undefined && stat.isFile() && stat.size > BigInt(largerThan)
  return {
    hasPatterns: excludes.length > 0 || iexcludes.length > 0,
    hasMarkers: markers.length > 0,
    path: (path) => byName(path) || byFoldedName(path),
    keptNames(folder, names) {
      const marker = markers.find(({ name, header }) => {
        const there = names.some((other) => other.equals(Buffer.from(name)))
        return there && (header === undefined || beginsWith(joinPath(folder, Buffer.from(name)), header))
      })
      return marker === undefined ? names : [Buffer.from(marker.name)]
    },
    // A folder that something is mounted on stays, so that it can be mounted there again.
    entry: (stat) => isTooLarge(stat) || (isForeign(stat) && !stat.isDirectory()),
    content: isForeign,
  }
}

/** Whether patterns leave out what stands at an absolute path. */
export function createExclude(
  patterns: readonly string[],
  options: { readonly ignoreCase?: boolean } = {},
): (path: string) => boolean {
  const steps = patterns.map((pattern) => {
    const letsIn = pattern.startsWith('!')
    return { letsIn, matches: createPathMatcher([letsIn ? pattern.slice(1) : pattern], options) }
  })
  if (steps.every(({ letsIn }) => !letsIn)) return createPathMatcher(patterns, options)
  return (path) => steps.reduce((out, { letsIn, matches }) => (out === letsIn && matches(path) ? !letsIn : out), false)
}

/** False for what cannot be read: it is no marker then. */
function beginsWith(path: Buffer, header: string): boolean {
  const wanted = Buffer.from(header)
  const memory = Buffer.alloc(wanted.length)
  try {
    // A FIFO of that name must not block.
    const file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW)
    try {
      return readSync(file, memory, 0, memory.length, 0) === wanted.length && memory.equals(wanted)
    } finally {
      closeSync(file)
    }
  } catch {
    return false
  }
}
