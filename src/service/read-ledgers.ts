import type { Catalog } from '../catalog/index.ts'
import { isHoldfastError } from '../kernel/index.ts'
import type { EvidenceKind, LedgerRecord } from '../ledger/index.ts'
import { openCatalogRepository } from './open-repository.ts'
import { openRepositoryLedger } from './record-evidence.ts'

/** A ledger that could not be read, or not whole. */
export interface UnseenLedger {
  readonly repository: string
  readonly because: string
}

export interface LedgerQuestion {
  readonly repositories: readonly string[]
  readonly kinds: readonly EvidenceKind[]
  /** Of each ledger, counted before `onRecord`. Default: all. */
  readonly limit?: number
  /** For each record, a ledger's newest first; `enough` ends that ledger. */
  readonly onRecord: (repository: string, record: LedgerRecord) => 'enough' | undefined
}

/** Reads the ledgers of some repositories, one after the other. What cannot be read is an outcome: the disaster may be the reason. */
export async function readLedgers(
  catalog: Catalog,
  { repositories, kinds, limit, onRecord }: LedgerQuestion,
  signal: AbortSignal,
): Promise<UnseenLedger[]> {
  const unseen: UnseenLedger[] = []
  for (const repository of repositories) {
    let damaged = 0
    try {
      await using opened = await openCatalogRepository(catalog, repository, signal)
      const filter = {
        kinds,
        order: 'newest-first',
        onDamage: () => damaged++,
        ...(limit === undefined ? {} : { limit }),
      } as const
      for await (const record of openRepositoryLedger(opened, catalog).records(filter, signal)) {
        if (onRecord(repository, record) === 'enough') break
      }
    } catch (error) {
      signal.throwIfAborted()
      if (!isHoldfastError(error) || error.code === 'internal') throw error
      unseen.push({ repository, because: error.message })
    }
    unseen.push(...notWhole(repository, damaged))
  }
  return unseen
}

/** What a ledger with damaged records is: not read whole. */
export function notWhole(repository: string, damaged: number): UnseenLedger[] {
  return damaged === 0 ? [] : [{ repository, because: `${damaged} records of its ledger are damaged` }]
}
