import { HoldfastError, tryParseSize } from '../../kernel/index.ts'
import type { Repository } from '../../repository/index.ts'

/** How much may stay that nothing refers to: a share of what is used and unused together, or bytes (Infinity: all of it). */
export type UnusedLimit = { readonly percent: number } | { readonly bytes: number }

export interface PruneOptions {
  /** Default 5 %. */
  readonly maxUnused?: UnusedLimit
  /** Move blobs out of packs of at most so many bytes in all; default: as many as it takes. */
  readonly maxRepackBytes?: number
  /** Join packs that are smaller than 80 % of the usual size; by default only those below 1 MiB, and from ten on. */
  readonly repackSmall?: boolean
  /** Compress what the format's version 1 stored uncompressed. */
  readonly repackUncompressed?: boolean
  /** Size at which new packs are closed; 16 MiB by default. */
  readonly packBytes?: number
}

export interface PruneJob extends PruneOptions {
  readonly repository: Repository
  /** Say what would be done, and do nothing. */
  readonly dryRun?: boolean
  /** For a dry run: count these snapshots as gone. */
  readonly without?: readonly string[]
  /** With no snapshot left, delete everything. Otherwise that is refused: a folder that went missing looks the same. */
  readonly allowRemoveAll?: boolean
  /** How long to wait for others that use the repository, before anything is deleted. */
  readonly retryLockMs?: number
}

/** `5%`, `200MiB`, restic's `200M`, `unlimited`. Throws `usage`. */
export function parseUnusedLimit(text: string): UnusedLimit {
  if (text === 'unlimited') return { bytes: Infinity }
  const percent = /^(\d+(?:\.\d+)?)%$/.exec(text)?.[1]
  if (percent !== undefined && Number(percent) < 100) return { percent: Number(percent) }
  return { bytes: parseBytes(text, "'5%', '1GiB' or unlimited") }
}

/** With a unit (`200MiB`), or as restic has it: `200M` is 200 MiB, and a bare number is bytes. Throws `usage`. */
export function parseBytes(text: string, expected = "'200MiB' or restic's '200M'"): number {
  const bytes = tryParseSize(text)
  if (bytes !== undefined) return bytes
  const [, count, unit = ''] = /^(\d+)([kKmMgGtT]?)$/.exec(text) ?? []
  if (count !== undefined) return Number(count) * 1024 ** ' KMGT'.indexOf(unit.toUpperCase() || ' ')
  throw new HoldfastError('usage', { message: `'${text}' is not a size`, hint: `write ${expected}` })
}

/** The bytes that may stay unused beside `usedBytes`. */
export function unusedBytesAllowed(limit: UnusedLimit, usedBytes: number): number {
  return 'bytes' in limit ? limit.bytes : (usedBytes * limit.percent) / (100 - limit.percent)
}
