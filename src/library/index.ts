/**
 * `holdfast/repository`: repositories in restic's format for other programs. What is exported here is the whole of it, and stays: see
 * docs/library.md. Errors are HoldfastError, with a code, a message and mostly a hint.
 */
export { exitCodes, HoldfastError, isHoldfastError } from '../kernel/index.ts'
export type {
  BackupSummary,
  CheckFinding,
  CheckProgress,
  CheckReport,
  ForgetReport,
  KeepRules,
  OverwriteMode,
  PruneOptions,
  PruneReport,
  RestoreProgress,
  RestoreSummary,
} from '../backup/index.ts'
export type { SnapshotFilter } from '../repository/index.ts'
export { createRepository, openRepository } from './open.ts'
export type { BackupOptions, Entry, ForgetOptions, Repository, RestoreOptions, Snapshot, Work } from './contract.ts'
