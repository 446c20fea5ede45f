import type { Catalog } from '../../catalog/index.ts'
import { isHoldfastError } from '../../kernel/index.ts'
import { recoveryUsefulness, type EvidenceRecord, type LedgerView, type LedgerWriter } from '../../ledger/index.ts'
import { clockToleranceMs } from '../../objectives/index.ts'
import type { Repository, Snapshot } from '../../repository/index.ts'
import { openCatalogRepository } from '../open-repository.ts'
import { openRepositoryLedger } from '../record-evidence.ts'
import { snapshotsOf } from './kept-snapshots.ts'
import { snapshotOrigins, type SnapshotOrigin } from './snapshot-origins.ts'

/** What one repository of a catalog holds and what its ledger says, as far as it could be read. Disposing it closes the repository. */
export interface RepositoryFacts extends AsyncDisposable {
  readonly name: string
  readonly repository: Repository
  /** Oldest first. */
  readonly snapshots: readonly Snapshot[]
  /** By snapshot; of one without a record nothing. */
  readonly origins: ReadonlyMap<string, SnapshotOrigin>
  /** Snapshots that hold this path; oldest first. */
  readonly snapshotsOf: (path: string) => readonly Snapshot[]
  /** Whole restores that were compared: the newest that are about a service, or about none. */
  readonly restoresOf: (service: string | undefined) => readonly EvidenceRecord<'restore'>[]
  /** Those of a snapshot that is there, by the id that it had then, whatever they were worth. */
  readonly restoresFrom: (snapshot: string) => readonly EvidenceRecord<'restore'>[]
  /** The newest of each use that are about a service, or about none, and all that brought back a snapshot that is there. */
  readonly recoveriesOf: (service: string | undefined) => readonly EvidenceRecord<'recovery'>[]
  /** Those that such recoveries were a part of. */
  readonly experiments: readonly EvidenceRecord<'experiment'>[]
  /** The check that found damage of which no later check knows better: the data is read less often than the structure. */
  readonly standingDamage: EvidenceRecord<'check'> | undefined
  /** The newest check that read all data, where it found nothing wrong. */
  readonly wholeCheck: EvidenceRecord<'check'> | undefined
  /** Places of the ledger that could not be counted. */
  readonly damagedRecords: readonly number[]
  readonly records: number
  /** Whoever signed records of its ledger. */
  readonly writers: readonly LedgerWriter[]
}

export interface FactsQuestion {
  readonly now: Date
  /** Restores and recoveries are read of these services only, besides those of the snapshots that are there. Absent: of all. */
  readonly about?: ReadonlySet<string>
}

export interface UnseenRepository {
  readonly name: string
  readonly because: string
}

/** Opens and reads a repository. One that cannot be is an outcome: the others still count, and it is reported. */
export async function readRepository(
  catalog: Catalog,
  name: string,
  question: FactsQuestion,
  signal?: AbortSignal,
): Promise<RepositoryFacts | UnseenRepository> {
  try {
    const repository = await openCatalogRepository(catalog, name, signal)
    try {
      return await readFacts(catalog, name, repository, question, signal)
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

async function readFacts(
  catalog: Catalog,
  name: string,
  repository: Repository,
  question: FactsQuestion,
  signal?: AbortSignal,
): Promise<RepositoryFacts> {
  const snapshots = await snapshotsOf(repository, catalog, question.now, signal)
  const ledger = openRepositoryLedger(repository, catalog)
  const facts = await ledger.ask((view) => ledgerFacts(view, catalog, snapshots, question), signal)
  const byPath = new Map<string, Snapshot[]>()
  for (const snapshot of snapshots)
    for (const path of new Set(snapshot.paths)) {
      const known = byPath.get(path)
      if (known) known.push(snapshot)
      else byPath.set(path, [snapshot])
    }
  return {
    name,
    repository,
    snapshots,
    snapshotsOf: (path) => byPath.get(path) ?? [],
    ...facts,
    [Symbol.asyncDispose]: () => repository[Symbol.asyncDispose](),
  }
}

/** So many records of one use are looked at, besides those from the future: the newest decides, and a few may turn out to be of no use. */
const looked = 4
/** Of those that were a part of an experiment, whose record says what they show. */
const lookedWithin = 50

/** Only what can decide something is read: the newest of each use for each service, and what is known of the snapshots that are there. */
function ledgerFacts(view: LedgerView, catalog: Catalog, snapshots: readonly Snapshot[], { now, about }: FactsQuestion) {
  const damaged = new Set(view.damaged.map(({ seq }) => seq))
  const onDamage = ({ seq }: { readonly seq: number }) => damaged.add(seq)
  const question = { until: new Date(now.getTime() + clockToleranceMs), limit: looked, onDamage }
  const there = snapshots.map(({ id }) => id)
  const origins = snapshotOrigins(view, there, onDamage)
  const ids = [...new Set([...there, ...[...origins.values()].flatMap(({ formerIds }) => formerIds)])]
  const restores = new Map(view.about('restore', ids, onDamage).map((restore) => [restore.seq, restore]))
  // However many came later: of a copy they are what has been read of it.
  const recoveries = new Map(view.about('recovery', ids, onDamage).map((recovery) => [recovery.seq, recovery]))
  for (const service of [...(about ?? Object.keys(catalog.services)), null]) {
    for (const source of ['files', 'postgres'] as const)
      for (const restore of view.newest({ ...question, kind: 'restore', service, useful: `restored ${source}` }))
        restores.set(restore.seq, restore)
    for (const useful of recoveryUsefulness) {
      // Runs of the first version named no service.
      const limit = useful === 'within-experiment' || service === null ? lookedWithin : looked
      for (const recovery of view.newest({ ...question, kind: 'recovery', service, useful, limit }))
        recoveries.set(recovery.seq, recovery)
    }
  }
  const runs = new Set([...recoveries.values()].flatMap(({ body }) => body.drill?.experiment ?? []))
  const experiments = view.about('experiment', [...runs], onDamage)
  // By their places: a clock that is ahead must not make an old check pass for newer than one that has found damage since.
  const checks = (['structure', 'data'] as const).flatMap((useful) => view.last({ kind: 'check', useful, onDamage }) ?? [])
  return {
    origins,
    restoresOf: groupedBy([...restores.values()], ({ service }) => service),
    recoveriesOf: groupedBy([...recoveries.values()], ({ service }) => service),
    restoresFrom: groupedBy([...restores.values()], ({ body }) => body.snapshot),
    experiments,
    standingDamage: standingDamage(checks.toSorted((a, b) => b.seq - a.seq)),
    // One that found no snapshot has looked at nothing.
    wholeCheck: checks.find(
      ({ time, body }) => time <= question.until && body.depth === 'data' && body.snapshots > 0 && body.findings.length === 0,
    ),
    damagedRecords: [...damaged].toSorted((a, b) => b - a),
    records: view.count,
    writers: view.writers,
  }
}

function groupedBy<Key, Value>(values: readonly Value[], keyOf: (value: Value) => Key): (key: Key) => readonly Value[] {
  const groups = Map.groupBy(values, keyOf)
  return (key) => groups.get(key) ?? []
}

/** A check that did not read the data says nothing of what one that did has found there. Newest first. */
function standingDamage(checks: readonly EvidenceRecord<'check'>[]): EvidenceRecord<'check'> | undefined {
  const lastOfAny = checks[0]
  const lastOfData = checks.find(({ body }) => body.depth === 'data')
  return [lastOfAny, lastOfData].find((check) => check !== undefined && check.body.findings.length > 0)
}
