export { evidenceKinds, isEvidenceKind, type EvidenceBody, type EvidenceKind } from './evidence.ts'
export { exportLedgers, type ExportSummary } from './export.ts'
export type { LedgerHead } from './head-file.ts'
export {
  openLedger,
  type AppendOptions,
  type DamagedPlace,
  type Ledger,
  type LedgerOptions,
  type RecordsFilter,
} from './ledger.ts'
export type { EvidenceRecord, LedgerRecord } from './record.ts'
export { openSigner, type Signer } from './signing-key.ts'
export { heldAgainst, type Examination, type LedgerFinding, type LedgerVerification } from './verify.ts'
export type { LedgerWriter } from './writers.ts'
