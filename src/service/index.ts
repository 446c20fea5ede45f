export { checkAndRecord, type CheckJob } from './check-and-record.ts'
export {
  createCatalogRepository,
  createRepositoryAt,
  openCatalogRepository,
  openTargetRepository,
  type RepositoryChoice,
  type TargetRepository,
} from './open-repository.ts'
export { openDecider, type Decider } from './detection/act.ts'
export { runCollector, type CollectorEvent } from './detection/collect.ts'
export { detect, type Detection, type ObserverView } from './detection/detect.ts'
export { dutyOf, runObserver, type ObserverDuty } from './detection/observe.ts'
export { openReportReader, type ReportReader } from './detection/read-reports.ts'
export { waitUntilDown } from './detection/wait-until-down.ts'
export { watchedService, type WatchedService } from './detection/watched-plan.ts'
export { wouldLose, type CopyReach } from './detection/would-lose.ts'
export { findDatabase, type SearchPlaces } from './find-database.ts'
export { initCatalog, type InitOutcome, type RepositoryOutcome } from './init-catalog.ts'
export { prepareDrill, type DrillRequest, type PreparedDrill } from './drill/prepare.ts'
export { preflightDrill, runDrill } from './drill/run.ts'
export { runDemo } from './demo/demo.ts'
export { type DemoEvent } from './demo/events.ts'
export { type DemoReport } from './demo/report.ts'
export { protectService, recordBackup, type FailedCopy, type ProtectedCopy, type ProtectJob } from './protect.ts'
export { checkApproval } from './recovery/approval.ts'
export { actionParams, loadRunCatalog } from './recovery/load-catalog.ts'
export { runBackground, type RunBackground } from './recovery/background.ts'
export { forecastRecovery, type RecoveryForecast } from './recovery/forecast.ts'
export { preflightRecovery, prepareRecovery, type PreparedRecovery, type RecoveryRequest } from './recovery/prepare.ts'
export { abortRun, recoverService, resumeRun, type FinishedRun, type RunWatcher } from './recovery/recover.ts'
export { inputOf, openRunsAt, outcomeOf } from './recovery/run-views.ts'
export { fetchWal } from './fetch-wal.ts'
export { checkRunbook, isRunbook, writeRunbook } from './runbook.ts'
export { runReception, type Reception, type ReceptionRequest } from './receive-wal.ts'
export { openRepositoryLedger, recordEvidence, type EvidenceContext } from './record-evidence.ts'
export type { NotRecorded } from './record-wal.ts'
export { readStatus, type RepositoryReport, type ServiceReport, type StatusReport } from './status.ts'
export { walStatus, type SlotReport, type WalArchiveReport, type WalStatus, type WalTimelineReport } from './wal-status.ts'
