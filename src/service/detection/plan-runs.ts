import type { Catalog, Plan } from '../../catalog/index.ts'
import type { StartQuestion } from '../../detection/index.ts'
import { planInput } from '../../recovery/index.ts'
import { openIncident } from './incidents.ts'
import { openRunsAt } from '../recovery/recover.ts'

export type PlanRuns = Pick<StartQuestion, 'lastRun' | 'openRun' | 'unsettled'>

/** The newest run of a plan, one that is open in its environment, and one after which the service was not seen well, on this machine. */
export async function runsOf(catalog: Catalog, plan: Plan): Promise<PlanRuns> {
  await using engine = openRunsAt(catalog.file)
  const runs = (await engine.list()).flatMap((view) => {
    const input = planInput.safeParse(view.input)
    return input.success ? [{ view, plan: input.data.plan }] : []
  })
  const open = runs.find(({ view, plan: { environment } }) => environment === plan.environment && view.endedAt === undefined)
  const last = runs.findLast((run) => run.plan.name === plan.name)?.view
  const incident = await openIncident(catalog.file, plan.name)
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
