export type {
  ArchiveContext,
  ArchivedTree,
  ArchiveProgress,
  ArchiveStats,
  Skipped,
  Source,
  SourceDescription,
} from './contract.ts'
