import { join } from 'node:path'
import type { Catalog } from '../catalog/index.ts'
import { openLedger, type EvidenceBody, type EvidenceKind, type Ledger, type LedgerHead } from '../ledger/index.ts'
import type { Repository } from '../repository/index.ts'
import { stateDirectory } from './state-directory.ts'

export interface EvidenceContext {
  /** The service of the catalog that it is about. */
  readonly service?: string
  /** The catalog in force: its path says where this machine remembers the ledger's head. */
  readonly catalogPath?: string
  readonly catalogHash?: string
}

/** What a record says of the catalog that it was written under; of none, nothing. */
export function contextIn(catalog: Catalog | undefined): EvidenceContext {
  return catalog === undefined ? {} : { catalogPath: catalog.file, catalogHash: catalog.hash }
}

/** The ledger of a repository, with this machine's memory of its newest record. */
export function openRepositoryLedger(repository: Repository, catalogPath?: string): Ledger {
  return openLedger(repository.area('holdfast/ledger'), {
    headFile: join(stateDirectory(catalogPath), 'ledger', `${repository.id}.json`),
  })
}

/**
 * Appends what was measured to the repository's ledger: the last thing that a backup, a check, a restore or a recovery does. Durable when
 * it returns. Throws when the storage does: work that is done but not on record must not look like success.
 */
export async function recordEvidence<Kind extends EvidenceKind>(
  repository: Repository,
  kind: Kind,
  body: EvidenceBody<Kind>,
  { service, catalogPath, catalogHash }: EvidenceContext = {},
  signal?: AbortSignal,
): Promise<LedgerHead> {
  return openRepositoryLedger(repository, catalogPath).append(kind, body, {
    ...(service === undefined ? {} : { service }),
    ...(catalogHash === undefined ? {} : { catalogHash }),
    ...(signal === undefined ? {} : { signal }),
  })
}
