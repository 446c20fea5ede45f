import { Option } from '@commander-js/extra-typings'
import { parseBytes, parseUnusedLimit, type PruneOptions, type UnusedLimit } from '../../../backup/index.ts'

/** How far a prune goes; `forget --prune` takes them too. restic's names. */
export const pruneOptions = [
  new Option('--max-unused <limit>', 'leave at most so much unused: 5%, 1GiB, unlimited (default: 5%)').argParser(
    parseUnusedLimit,
  ),
  new Option('--max-repack-size <size>', 'move blobs out of packs of at most this size in all; 0 writes no pack').argParser(
    (text) => parseBytes(text),
  ),
  new Option('--repack-small', 'join packs that are smaller than 80 % of the usual size'),
  new Option('--repack-uncompressed', 'compress what is stored uncompressed'),
] as const

export interface PruneFlags {
  readonly maxUnused?: UnusedLimit
  readonly maxRepackSize?: number
  readonly repackSmall?: true
  readonly repackUncompressed?: true
}

export function pruneOptionsOf({ maxUnused, maxRepackSize, repackSmall, repackUncompressed }: PruneFlags): PruneOptions {
  return {
    ...(maxUnused && { maxUnused }),
    ...(maxRepackSize !== undefined && { maxRepackBytes: maxRepackSize }),
    ...(repackSmall && { repackSmall }),
    ...(repackUncompressed && { repackUncompressed }),
  }
}
