import type { Catalog, Plan } from '../../catalog/index.ts'
import type { StartQuestion } from '../../detection/index.ts'
import type { RunView } from '../../durable/index.ts'
import type { EvidenceRecord, LedgerRecord } from '../../ledger/index.ts'
import { planInput } from '../../recovery/index.ts'
import { openIncident, type Incident } from './incidents.ts'
import { readLedgers } from '../read-ledgers.ts'
import { openRunsAt } from '../recovery/run-views.ts'

/** Enough to find the newest of one plan among those of others. */
const recordsLookedAt = 50

/** What moves the service; a drill in a sandbox does not. */
const moved: ReadonlySet<string> = new Set(['real', 'drill-live'])

export type PlanRuns = Pick<StartQuestion, 'lastRun' | 'openRun' | 'unsettled'>

/** The newest run of a plan, one that is open in its environment, and one after which the service was not seen well, on this machine. */
export async function runsOf(catalog: Catalog, plan: Plan): Promise<PlanRuns> {
  await using engine = openRunsAt(catalog.file)
  return runsAmong(plan, await engine.list(), await openIncident(catalog.file, plan.name))
}

/** `views` oldest first. A drill in a sandbox has not moved anything: it is no run of the plan. */
export function runsAmong(plan: Plan, views: readonly RunView[], incident: Pick<Incident, 'id'> | undefined): PlanRuns {
  const runs = views.flatMap((view) => {
    const input = planInput.safeParse(view.input)
    return input.success && input.data.drill?.mode !== 'sandbox' ? [{ view, plan: input.data.plan }] : []
  })
  const open = runs.find((run) => run.plan.environment === plan.environment && run.view.endedAt === undefined)
  const last = runs.findLast((run) => run.plan.name === plan.name)?.view
  const hasRun = runs.some(({ view }) => view.runId === incident?.id && view.endedAt !== undefined)
  return {
    ...(incident !== undefined && hasRun ? { unsettled: { runId: incident.id } } : {}),
    ...(open === undefined ? {} : { openRun: { runId: open.view.runId } }),
    ...(last === undefined
      ? {}
      : {
          lastRun: {
            runId: last.runId,
            startedAt: new Date(last.submittedAt),
            ...(last.endedAt === undefined ? {} : { endedAt: new Date(last.endedAt) }),
          },
        }),
  }
}

/** The newest run of a plan that a ledger knows, wherever it was made. */
export async function recordedRun(catalog: Catalog, plan: Plan, signal: AbortSignal): Promise<PlanRuns['lastRun']> {
  const found = await newestRecords(catalog, ({ body }) => body.plan === plan.name && moved.has(body.mode), signal)
  const [newest] = found.toSorted((a, b) => b.time.getTime() - a.time.getTime())
  return newest && { runId: newest.body.runId, startedAt: newest.time, endedAt: newest.time }
}

/** Whether a ledger has the record of a run: then it has ended, on whichever machine. */
export async function isRecorded(catalog: Catalog, runId: string, signal: AbortSignal): Promise<boolean> {
  return (await newestRecords(catalog, ({ body }) => body.runId === runId, signal)).length > 0
}

/** The newest such record of each repository. Those that cannot be read are passed over: the disaster may be the reason. */
async function newestRecords(
  catalog: Catalog,
  isWanted: (record: EvidenceRecord<'recovery'>) => boolean,
  signal: AbortSignal,
): Promise<EvidenceRecord<'recovery'>[]> {
  const found: EvidenceRecord<'recovery'>[] = []
  const onRecord = (_repository: string, record: LedgerRecord) => {
    if (record.kind !== 'recovery' || !isWanted(record)) return undefined
    found.push(record)
    return 'enough' as const
  }
  const repositories = Object.keys(catalog.repositories)
  await readLedgers(catalog, { repositories, kinds: ['recovery'], limit: recordsLookedAt, onRecord }, signal)
  return found
}

/** The one that ended last; one that has not ended is not the past. */
export function laterRun(a: PlanRuns['lastRun'], b: PlanRuns['lastRun']): PlanRuns['lastRun'] {
  if (a === undefined || b === undefined) return a ?? b
  return (a.endedAt ?? a.startedAt) < (b.endedAt ?? b.startedAt) ? b : a
}
