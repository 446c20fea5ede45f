import type { Catalog } from '../../catalog/index.ts'
import type { EvidenceRecord } from '../../ledger/index.ts'
import { readLedgers, type UnseenLedger } from '../read-ledgers.ts'
import { localRuns, runEnvironments, type ExperimentRun } from './history.ts'

export interface PastRuns {
  /** Oldest first. A run that is in several places is one. */
  readonly runs: readonly ExperimentRun[]
  /** Ledgers that could not be read: runs of other machines may be missing. */
  readonly unseen: readonly UnseenLedger[]
}

/** What this machine and the ledgers of the catalog's repositories know of runs of experiments. */
export async function experimentRuns(catalog: Catalog, experiment: string | undefined, signal: AbortSignal): Promise<PastRuns> {
  const runs = new Map<string, ExperimentRun>()
  for (const run of await localRuns(catalog.file, experiment)) runs.set(run.runId, run)
  const unseen = await readLedgers(
    catalog,
    {
      repositories: Object.keys(catalog.repositories),
      kinds: ['experiment'],
      onRecord(repository, record) {
        if (record.kind !== 'experiment' || (experiment !== undefined && record.body.experiment !== experiment)) return undefined
        const { runId } = record.body
        const known = runs.get(runId) ?? recordedRun(record)
        if (known === undefined) return undefined
        const ledger = known.ledger.some((place) => place.repository === repository)
          ? known.ledger
          : [...known.ledger, { repository, seq: record.seq }]
        // What its own machine has not written down as ended, a ledger may still have.
        const ended = known.state === 'ended' ? known : { ...known, ...recordedRun(record) }
        runs.set(runId, { ...ended, ledger })
        return undefined
      },
    },
    signal,
  )
  return { runs: [...runs.values()].toSorted((a, b) => a.at.localeCompare(b.at)), unseen }
}

/** Undefined for an environment that this version does not know. */
function recordedRun({ body }: EvidenceRecord<'experiment'>): ExperimentRun | undefined {
  const { runId, experiment, hash, environment, startedAt, by, verdict, because, recoveryMs } = body
  if (!isEnvironment(environment)) return undefined
  const about = { runId, experiment, hash, environment, at: startedAt, by, state: 'ended', verdict, because, ledger: [] } as const
  return recoveryMs === undefined ? about : { ...about, recoveryMs }
}

function isEnvironment(name: string): name is ExperimentRun['environment'] {
  return (runEnvironments as readonly string[]).includes(name)
}
