export type {
  ArchiveContext,
  ArchivedTree,
  ArchiveProgress,
  ArchiveStats,
  Skipped,
  Source,
  SourceDescription,
} from './contract.ts'
export { createFilesSource, type FilesSourceOptions } from './files/files-source.ts'
