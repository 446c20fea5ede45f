export {
  createCatalogRepository,
  createRepositoryAt,
  openBackend,
  openCatalogRepository,
  openTargetRepository,
  type RepositoryChoice,
  type TargetRepository,
} from './open-repository.ts'
export { openRepositoryLedger, recordEvidence, type EvidenceContext } from './record-evidence.ts'
export { stateDirectory } from './state-directory.ts'
