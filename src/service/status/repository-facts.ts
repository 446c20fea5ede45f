import type { Catalog } from '../../catalog/index.ts'
import { isHoldfastError } from '../../kernel/index.ts'
import type { EvidenceRecord } from '../../ledger/index.ts'
import type { Repository, Snapshot } from '../../repository/index.ts'
import { openCatalogRepository } from '../open-repository.ts'
import { openRepositoryLedger } from '../record-evidence.ts'

/** What one repository of a catalog holds and what its ledger says, as far as it could be read. Disposing it closes the repository. */
export interface RepositoryFacts extends AsyncDisposable {
  readonly name: string
  readonly repository: Repository
  /** Oldest first. */
  readonly snapshots: readonly Snapshot[]
  /** By snapshot. */
  readonly backups: ReadonlyMap<string, EvidenceRecord<'backup'>>
  /** Newest first. */
  readonly restores: readonly EvidenceRecord<'restore'>[]
  readonly recoveries: readonly EvidenceRecord<'recovery'>[]
  readonly experiments: readonly EvidenceRecord<'experiment'>[]
  /** The check that found damage of which no later check knows better: the data is read less often than the structure. */
  readonly standingDamage: EvidenceRecord<'check'> | undefined
  /** Places of the ledger that could not be counted. */
  readonly damagedRecords: readonly number[]
  readonly records: number
}

export interface UnseenRepository {
  readonly name: string
  readonly because: string
}

/** Opens and reads a repository. One that cannot be is an outcome: the others still count, and it is reported. */
export async function readRepository(
  catalog: Catalog,
  name: string,
  signal?: AbortSignal,
): Promise<RepositoryFacts | UnseenRepository> {
  try {
    const repository = await openCatalogRepository(catalog, name, signal)
    try {
      return await readFacts(catalog, name, repository, signal)
    } catch (error) {
      await repository[Symbol.asyncDispose]()
      throw error
    }
  } catch (error) {
    signal?.throwIfAborted()
    if (!isHoldfastError(error) || error.code === 'internal') throw error
    return { name, because: error.message }
  }
}

async function readFacts(catalog: Catalog, name: string, repository: Repository, signal?: AbortSignal): Promise<RepositoryFacts> {
  const snapshots = await repository.snapshots(signal)
  const backups = new Map<string, EvidenceRecord<'backup'>>()
  const restores: EvidenceRecord<'restore'>[] = []
  const recoveries: EvidenceRecord<'recovery'>[] = []
  const experiments: EvidenceRecord<'experiment'>[] = []
  const damagedRecords: number[] = []
  const checks: EvidenceRecord<'check'>[] = []
  let records = 0
  const ledger = openRepositoryLedger(repository, catalog)
  const filter = { order: 'newest-first', onDamage: ({ seq }: { seq: number }) => damagedRecords.push(seq) } as const
  for await (const record of ledger.records(filter, signal)) {
    records++
    if (record.kind === 'backup') backups.set(record.body.snapshot, record)
    else if (record.kind === 'restore') restores.push(record)
    else if (record.kind === 'recovery') recoveries.push(record)
    else if (record.kind === 'experiment') experiments.push(record)
    else if (record.kind === 'check') checks.push(record)
  }
  return {
    name,
    repository,
    snapshots,
    backups,
    restores,
    recoveries,
    experiments,
    standingDamage: standingDamage(checks),
    damagedRecords,
    records,
    [Symbol.asyncDispose]: () => repository[Symbol.asyncDispose](),
  }
}

/** A check that did not read the data says nothing of what one that did has found there. Newest first. */
function standingDamage(checks: readonly EvidenceRecord<'check'>[]): EvidenceRecord<'check'> | undefined {
  const lastOfAny = checks[0]
  const lastOfData = checks.find(({ body }) => body.depth === 'data')
  return [lastOfAny, lastOfData].find((check) => check !== undefined && check.body.findings.length > 0)
}
