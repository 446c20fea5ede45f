export { openSql, type ConnectOptions, type Row, type SqlConnection } from './connection/connect.ts'
export {
  closeDatabases,
  inspectForClosing,
  isClosedTo,
  openDoors,
  reopenDatabases,
  stillClosed,
  type ClosedDatabases,
  type ServerToClose,
} from './connection/closed-databases.ts'
export { sqlState } from './connection/errors.ts'
export { describeUrl, leadsHere, urlUser, withDatabase } from './connection/location.ts'
export {
  runTransaction,
  transactionState,
  type StatementResult,
  type TransactionMark,
  type TransactionOptions,
} from './connection/transaction.ts'
export { openReplication, type CopyStream, type ReplicationConnection, type ResultSet } from './connection/replication.ts'
export { formatLsn, parseLsn, walFileName, type Lsn } from './lsn.ts'
export type { TimelineHistory } from './timeline-history.ts'
export { openWalArchive } from './wal/archive.ts'
export type { WalArchive, WalArchiveContents, WalSegment } from './wal/contract.ts'
export { timelineEnd } from './wal/timelines.ts'
export { abandonedWal, findGaps, joinRanges, type WalGap } from './wal/coverage.ts'
export type { WalMark, WalRange } from './wal/range.ts'
export { recoverableWindow, type BackupPosition, type RecoverableWindow } from './wal/window.ts'
export { isStandby, readControlFile, type ControlFacts } from './recovery/control-file.ts'
export { readFetchConfig, type FetchConfig } from './recovery/fetch-config.ts'
export { createFetcher, failedExitCode, type Fetcher, type FetcherOptions } from './recovery/fetch-command.ts'
export { fetchWalFile } from './recovery/fetch.ts'
export {
  finishRecovery,
  preparedRecovery,
  prepareRecovery,
  type PreparedRecovery,
  type RecoveryRequest,
} from './recovery/prepare.ts'
export {
  promoteServer,
  waitUntilRecovered,
  type Promoted,
  type RecoveredPosition,
  type RecoveryProgress,
  type WaitOptions,
} from './recovery/progress.ts'
export {
  backupPosition,
  chooseBackup,
  describeWindow,
  formatTimeUs,
  parseRecoveryTarget,
  resolveTarget,
  type RecoveryStop,
  type RecoveryTarget,
} from './recovery/target.ts'
export type { ReceiverEvent } from './receiver/events.ts'
export { reportAlive, superviseReceiver, type SuperviseOptions } from './receiver/supervise.ts'
export { receiveWal, type ReceiveOptions } from './receiver/receive-wal.ts'
export { dataDirectoryVersion, listPostgres, requirePostgres, type PostgresInstallation } from './installation.ts'
export { ownFolder, requireReachable, serverAccount, type ServerAccount } from './server/account.ts'
export type { InitializeOptions, Settings } from './server/initialize.ts'
export { findRunningServer, serverProcesses, type RunningServer } from './server/running.ts'
export { stopServerOn } from './server/stop-on.ts'
export { linkTablespaces } from './server/tablespace-links.ts'
export { createServer, type PostgresServer, type ServerOptions, type StartOptions, type StopMode } from './server/server.ts'
export { inspectServer, type ServerFacts } from './connection/inspect.ts'
export { checkReplicationReadiness, notReadyError, type ReadinessFinding } from './connection/readiness.ts'
export type { BackupEntry, BackupSink } from './base-backup/sink.ts'
export { readDivergence, type Divergence, type DivergedTransaction, type TableChanges } from './replication/divergence.ts'
export {
  configureFollowing,
  dropSlot,
  ensureSlot,
  forgetFormerSettings,
  unconfigureFollowing,
  waitUntilFollowing,
} from './replication/follow.ts'
export { isRewound, readOwnConfiguration, requireRewind, rewind, writeOwnConfiguration } from './replication/rewind.ts'
export { describeLag, replicationLag, type Heartbeat, type PrimaryPosition, type ReplicationLag } from './replication/lag.ts'
export { promotionState, replayPaused, waitUntilReplayed, type PromotionState } from './replication/promote-standby.ts'
export { replicationState, tryReplicationState, type ReplicationState, type WalReceiverState } from './replication/state.ts'
export { walEnd, walOnDisk } from './wal/on-disk.ts'
export { takeBaseBackup, type BaseBackupFacts, type BaseBackupProgress, type BaseBackupRequest } from './base-backup/take.ts'
export type { DamagedPage } from './base-backup/page-verifier.ts'
export {
  requireSoundDataDirectory,
  verifyDataDirectory,
  type DataDirectoryFinding,
  type DataDirectoryReport,
  type VerifyOptions,
} from './base-backup/verify.ts'
export { outsideConfiguration, type OutsideConfig } from './base-backup/outside-config.ts'
