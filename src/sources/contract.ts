/**
 * The contract of a source. It is declared in `backup`, which uses it, because an area may not know those above it; sources import it here.
 */
export type {
  ArchiveContext,
  ArchivedTree,
  ArchiveProgress,
  ArchiveStats,
  Skipped,
  Source,
  SourceDescription,
} from '../backup/index.ts'
