export {
  absolutePath,
  portNumber,
  clusterName,
  durationText,
  repositoryName,
  secretRef,
  serviceName,
  setOf,
  sizeText,
  text,
} from './fields.ts'
export { approversOf } from './approvers.ts'
export { Credentials, textsOf, withoutTextsIn, type SecretResolver } from './credentials.ts'
export { contactWays, titleOf, type Contact } from './contact.ts'
export { defaultCatalog, isCatalogHere } from './default-catalog.ts'
export { defineCatalog, type CatalogInput } from './define-catalog.ts'
export { staleAcceptances, weaknessesOf, type StaleAcceptance, type Weakness } from './lints/judge.ts'
export { drillOf, type Drill, type Substitution } from './drill.ts'
export {
  isCovered,
  maintenanceAt,
  maintenanceOfAll,
  outageCountsFrom,
  type Maintenance,
  type OpenMaintenance,
  type SharedMaintenance,
} from './maintenance.ts'
export { isWithin, rangeText, wallClock } from './time-range.ts'
export type { ChaosRules, Exclusion, TimeRange } from './chaos.ts'
export { plansIn, serviceEnvironments, servicesIn, type ServiceEnvironment } from './environment.ts'
export { chaosEnvironments, type Canary, type ChaosEnvironment, type Experiment } from './experiment.ts'
export { codeFrame } from './frame.ts'
export { dependencyOrder, dependentsOf, findService, topologicalOrder, withDependencies } from './graph.ts'
export type {
  Hypothesis,
  HypothesisProbe,
  JsonpathExpectation,
  Measure,
  SampleTolerance,
  Tolerance,
  WindowTolerance,
} from './hypothesis.ts'
export { holdsData } from './holds-data.ts'
export { catalogJsonSchema, catalogPartJsonSchema } from './json-schema.ts'
export { checkCatalog, loadCatalog, problemLine, requireValid, type CatalogCheck, type CatalogOptions } from './load.ts'
export type { KnownParams } from './schema-call.ts'
export { planFor } from './plan-for.ts'
export { portablePath, type PortablePath } from './portable-path.ts'
export type { CatalogProblem, CatalogProblemCode, CatalogWarning } from './problem.ts'
export { defaultStrategies, type Strategy } from './strategies.ts'
export { resolveSecret, Secret, secretsOf, withWholePaths } from './secret.ts'
export { starterText, writeStarterCatalog, type DatabaseFound } from './starter.ts'
export type {
  ActionCall,
  BackupPolicy,
  Catalog,
  ClusterEntry,
  DeciderClaims,
  Detection,
  DetectionWatch,
  ExternalDependency,
  FilesData,
  Group,
  HealthCheck,
  KeepPolicy,
  Objectives,
  Observer,
  Plan,
  PostgresData,
  PostgresPlace,
  PostgresStandby,
  Probe,
  RepositoryEntry,
  RetryPolicy,
  Schedule,
  SecretRef,
  Service,
  ServiceData,
  Site,
  SqlAssertion,
  Step,
  StepCheck,
  Tier,
  VerifyPolicy,
} from './types.ts'
