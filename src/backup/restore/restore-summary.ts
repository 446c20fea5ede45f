import type { Skipped } from '../source.ts'
import type { RestorePlan } from './plan.ts'

export interface RestoreSummary {
  readonly snapshot: string
  readonly target: string
  /** Regular files restored, every blob of them verified against its hash before it was written; hard links count. */
  readonly files: number
  /** Of the others, those whose content was right already: they got the metadata only. */
  readonly unchangedFiles: number
  /** Of the others, those of which the target had a part, and only what differed was written. */
  readonly patchedFiles: number
  /** What of them was right already, and not written: not in `sizeBytes`. */
  readonly keptBytes: number
  /** Files, links and devices that were there and stay as they are, by `overwrite`. */
  readonly untouched: number
  /** What was removed, with all that was in it; after a dry run, what would be. */
  readonly deleted: readonly string[]
  /** After a dry run: the files, links and devices that would be written. */
  readonly wouldWrite?: readonly string[]
  /** Files read back from the target and compared: with `verify`, all of them, each name of a hard link once. */
  readonly verifiedFiles: number
  readonly directories: number
  /** Symbolic links, FIFOs and devices. */
  readonly specials: number
  /** Content that was written. */
  readonly sizeBytes: number
  readonly durationMs: number
  /** What was not restored, or not as it was, and why. */
  readonly skipped: readonly Skipped[]
}

type DryRunFigures = Omit<
  RestoreSummary,
  'wouldWrite' | 'files' | 'specials' | 'directories' | 'sizeBytes' | 'verifiedFiles' | 'skipped'
>

/** Of what would be done. */
export function dryRunSummary(
  { files, hardLinks, specials, directories, sizeBytes }: RestorePlan,
  figures: DryRunFigures,
): RestoreSummary {
  const written = [...files, ...hardLinks, ...specials]
  return {
    ...figures,
    wouldWrite: written.map(({ path }) => path.toString()),
    files: files.length + hardLinks.length,
    specials: specials.length,
    directories: directories.length,
    sizeBytes,
    verifiedFiles: 0,
    skipped: [],
  }
}
