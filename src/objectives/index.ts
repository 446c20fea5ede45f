export type {
  DataEvidence,
  DrillFact,
  LedgerRef,
  RecoveryFact,
  RestoreFact,
  ServiceEvidence,
  SnapshotFact,
  WalFact,
} from './evidence.ts'
export { isProof } from './proof.ts'
export { recoverablePoints, type PointProblem } from './recoverable-point.ts'
export {
  recoveryVerdict,
  type FinishedRecovery,
  type RecoveryObjective,
  type RecoveryReason,
  type RecoveryVerdict,
} from './recovery-verdict.ts'
export { clockToleranceMs, proofMaxAgeMs, type AboutData, type ObjectiveStatus, type Reason } from './objective-status.ts'
export { serviceStatus, type ServiceStatus, type StatusFinding, type StatusQuestion } from './service-status.ts'
export { worstVerdict, type Basis, type Verdict } from './verdict.ts'
export { recommendStrategy, meets, type Recommendation, type Rejected, type WantedObjectives } from './strategy/recommend.ts'
export { strategyMatrix, type MatrixCell, type PlacedService, type StrategyMatrix } from './strategy/matrix.ts'
export { assumedSpread, isDrawnFrom, yearlyLoss, type Durations, type LossModel, type YearlyLoss } from './cost/expected-loss.ts'
export { strategyCosts, type Happening, type StrategyCost } from './cost/pay-off.ts'
export { dependencyPaths, type DependencyNode, type DependencyPath } from './dependency-path.ts'
export {
  copiesStatus,
  copyNeeds,
  copyRules,
  type CopiesStatus,
  type CopyPlace,
  type CopyProblem,
  type CopyRule,
  type CopyStatus,
  type RepositoryCheck,
} from './copies-status.ts'
export { monthlyTrend, startOfMonth, type TrendMonth } from './monthly-trend.ts'
export { groupStatus, type GroupStatus } from './group-status.ts'
export { dependencyStatus, type DependencyStatus } from './dependency-status.ts'
