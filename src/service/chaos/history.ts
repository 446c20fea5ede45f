import { z } from 'zod'
import { chaosEnvironments } from '../../catalog/index.ts'
import { experimentVerdicts, passRate, percentileBound, type PassRate, type PercentileBound } from '../../chaos/index.ts'
import { openJournal, readJournal } from '../../journal/index.ts'
import { processState, type Json } from '../../kernel/index.ts'
import { chaosFolders } from './folders.ts'

const identity = z.object({ pid: z.int(), started: z.string(), host: z.string(), boot: z.string() })

/** Where an experiment runs; `unstated` for one of Chaos Toolkit, which does not say so. */
export const runEnvironments = [...chaosEnvironments, 'unstated'] as const

const began = z.object({
  type: z.literal('began'),
  runId: z.string(),
  experiment: z.string(),
  hash: z.string(),
  environment: z.enum(runEnvironments),
  at: z.iso.datetime(),
  by: z.string(),
  process: identity,
})
const ended = z.object({
  type: z.literal('ended'),
  runId: z.string(),
  at: z.iso.datetime(),
  verdict: z.enum(experimentVerdicts),
  because: z.array(z.string()),
  recoveryMs: z.number().optional(),
})
/** Where the ledgers have it; `complete`: in all of them, or there is none. */
const recorded = z.object({
  type: z.literal('recorded'),
  runId: z.string(),
  at: z.iso.datetime(),
  complete: z.boolean(),
  places: z.array(z.custom<Json>()),
})
const entry = z.discriminatedUnion('type', [began, ended, recorded])
export type HistoryEntry = z.infer<typeof entry>

/** A run. `running` and `interrupted` have no verdict; one that was interrupted counts as none. */
export interface ExperimentRun extends Omit<z.infer<typeof began>, 'type' | 'process'> {
  readonly state: 'running' | 'interrupted' | 'ended'
  readonly verdict?: z.infer<typeof ended>['verdict']
  readonly because: readonly string[]
  readonly recoveryMs?: number
  /** Where it is on record; empty: this machine alone knows of it. */
  readonly ledger: readonly { readonly repository: string; readonly seq: number }[]
}

/** Durable when it returns. */
export async function addToHistory(catalogPath: string, said: HistoryEntry): Promise<void> {
  await using journal = await openJournal(chaosFolders(catalogPath).history, { purpose: 'the history of experiments' })
  await journal.append(said as unknown as Json)
}

/** Oldest first. */
export async function readHistory(catalogPath: string): Promise<HistoryEntry[]> {
  const records = await readJournal(chaosFolders(catalogPath).history)
  return records.map(({ body }) => entry.parse(body))
}

/** What this machine alone knows. Oldest first. */
export async function localRuns(catalogPath: string, experiment?: string): Promise<ExperimentRun[]> {
  const entries = await readHistory(catalogPath)
  const ends = new Map(entries.flatMap((each) => (each.type === 'ended' ? [[each.runId, each] as const] : [])))
  const runs: ExperimentRun[] = []
  for (const each of entries) {
    if (each.type !== 'began' || (experiment !== undefined && each.experiment !== experiment)) continue
    const { type: _type, process, ...about } = each
    const end = ends.get(each.runId)
    if (end === undefined) {
      const state = (await processState(process)) === 'gone' ? 'interrupted' : 'running'
      runs.push({ ...about, state, because: [], ledger: [] })
      continue
    }
    const { verdict, because, recoveryMs } = end
    runs.push({ ...about, state: 'ended', verdict, because, ...(recoveryMs === undefined ? {} : { recoveryMs }), ledger: [] })
  }
  return runs
}

export interface ExperimentStatistics {
  /** Of runs that showed something: the others are not counted. */
  readonly passRate: PassRate
  readonly recoveryP95: PercentileBound
}

export function statisticsOf(runs: readonly Pick<ExperimentRun, 'verdict' | 'recoveryMs'>[]): ExperimentStatistics {
  const telling = runs.filter(({ verdict }) => verdict === 'pass' || verdict === 'fail')
  const passed = telling.filter(({ verdict }) => verdict === 'pass').length
  // One that did not come back took longer than any.
  const recoveries = telling.map(({ recoveryMs }) => recoveryMs ?? Number.POSITIVE_INFINITY)
  return { passRate: passRate(passed, telling.length), recoveryP95: percentileBound(recoveries, 0.95) }
}
