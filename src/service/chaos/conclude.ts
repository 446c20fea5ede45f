import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Catalog } from '../../catalog/index.ts'
import type { ExperimentVerdict } from '../../chaos/index.ts'
import { messageOf, writeFileDurably } from '../../kernel/index.ts'
import type { EvidenceBody } from '../../ledger/index.ts'
import type { RecordPlace } from '../record-once.ts'
import { chaosFolders } from './folders.ts'
import { addToHistory, localRuns, statisticsOf, type ExperimentRun, type ExperimentStatistics } from './history.ts'
import { experimentRuns } from './past-runs.ts'
import { recordExperiments } from './record.ts'

/** How long the past may take to be read: what a ledger does not say by then is left out of the statistics. */
const historyMs = 60_000

/** A run that has ended, and what is kept of it. */
export interface EndedRun {
  readonly runId: string
  readonly experiment: string
  readonly hash: string
  readonly endedAt: string
  readonly verdict: ExperimentVerdict
  readonly because: readonly string[]
  readonly recoveryMs?: number
  /** All that was seen, for the file of this run. */
  readonly kept: object
  /** What the ledger keeps, with the statistics of all runs of this hash so far. */
  readonly recordWith: (statistics: ExperimentStatistics) => EvidenceBody<'experiment'>
}

/** Where a run is kept, and where it is on record. */
export interface KeptRun {
  /** Where all that was seen is kept. */
  readonly file: string
  /** Of all runs of this hash so far, with this one. */
  readonly statistics: ExperimentStatistics
  /** Where it is on record, and where it could not be put; empty: no repository is for its services. Absent: that is left to the next run, see `unrecorded`. */
  readonly ledger?: readonly RecordPlace[]
  /** Why it is not on record yet, although the outcome is known. */
  readonly unrecorded?: string
  /** Why the statistics are not of all runs that are on record. */
  readonly uncounted?: string
}

/** Keeps the outcome of a run on this machine, and then puts it on record. */
export async function concludeRun(catalog: Catalog, run: EndedRun): Promise<KeptRun> {
  const { runId, experiment, hash, endedAt, verdict, because, recoveryMs, kept, recordWith } = run
  const folders = chaosFolders(catalog.file)
  const file = join(folders.runs, `${runId}.json`)
  const recovery = recoveryMs === undefined ? {} : { recoveryMs }
  const write = async (runs: readonly ExperimentRun[]) => {
    const past = runs.filter((each) => each.hash === hash && each.runId !== runId)
    const statistics = statisticsOf([...past, { verdict, ...recovery }])
    await writeFileDurably(file, `${JSON.stringify({ ...kept, record: recordWith(statistics) })}\n`)
    return statistics
  }
  await mkdir(folders.runs, { recursive: true, mode: 0o700 })
  // Durable before any repository is asked: what came out must not be lost with one that hangs.
  const ofThisMachine = await write(await localRuns(catalog.file, experiment))
  await addToHistory(catalog.file, { type: 'ended', runId, at: endedAt, verdict, because: [...because], ...recovery })
  // Also after Ctrl-C: an experiment that was aborted is on record too.
  return { file, statistics: ofThisMachine, ...(await putOnRecord(catalog, experiment, runId, write)) }
}

/** With what the ledgers know of earlier runs. What goes wrong is left to the next run: the outcome of this one is known, and is to be told. */
async function putOnRecord(
  catalog: Catalog,
  experiment: string,
  runId: string,
  write: (runs: readonly ExperimentRun[]) => Promise<ExperimentStatistics>,
): Promise<Partial<Omit<KeptRun, 'file'>>> {
  const counted = await countedRuns(catalog, experiment, write).catch((error: unknown) => ({ uncounted: messageOf(error) }))
  try {
    const recorded = (await recordExperiments(catalog)).get(runId)
    return { ...counted, ...(recorded ?? { unrecorded: 'there was not time for it' }) }
  } catch (error) {
    return { ...counted, unrecorded: messageOf(error) }
  }
}

async function countedRuns(
  catalog: Catalog,
  experiment: string,
  write: (runs: readonly ExperimentRun[]) => Promise<ExperimentStatistics>,
): Promise<Pick<KeptRun, 'statistics' | 'uncounted'>> {
  const { runs, unseen } = await experimentRuns(catalog, experiment, AbortSignal.timeout(historyMs))
  const uncounted = unseen.map(({ repository, because }) => `${repository}: ${because}`).join('; ')
  return { statistics: await write(runs), ...(uncounted === '' ? {} : { uncounted }) }
}
