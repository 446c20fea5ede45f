import { join } from 'node:path'
import type { Catalog } from '../../catalog/index.ts'
import type { RunView } from '../../durable/index.ts'
import { isHoldfastError } from '../../kernel/index.ts'
import { openRunsAt } from '../recovery/run-views.ts'
import { recoverService, resumeRun, type FinishedRun, type RunWatcher } from '../recovery/recover.ts'
import { prepareRecovery } from '../recovery/prepare.ts'
import { stateDirectory } from '../state-directory.ts'
import type { Detection } from './detect.ts'
import { soleProcess } from '../sole-process.ts'
import { incidentId, openIncident, writeIncident, type Incident } from './incidents.ts'
import type { WatchedService } from './watched-plan.ts'

/** Who starts runs by detection: one process for a plan. Disposing lets another one take over. */
export interface Decider extends AsyncDisposable {
  /** Goes on with the run of an earlier incident that has not ended, if there is one that no process works on. */
  finishOpen(watcher: RunWatcher, signal: AbortSignal): Promise<FinishedRun | undefined>
  /** Keeps in mind that it was seen well: only then can it go down anew. */
  notice(detection: Detection): Promise<void>
  /** Starts the plan when the detection allows it; undefined when it does not. */
  act(detection: Detection, watcher: RunWatcher, signal: AbortSignal): Promise<FinishedRun | undefined>
}

/**
 * Each incident is recorded, with the id of its run, before the run is submitted: killed at any moment, whoever takes over finds the incident,
 * and submits that run or goes on with it, and never makes another. `form` is that of runs that begin here. Throws `run-busy` when another process decides for this plan.
 */
export async function openDecider(
  catalog: Catalog,
  { service, plan }: WatchedService,
  form: Incident['form'] = 'normal',
): Promise<Decider> {
  const lock = await soleProcess(
    join(stateDirectory(catalog.file), 'deciders', plan.name),
    `detection for the plan ${plan.name}`,
    'one process decides for a plan: that one goes on',
  )

  /** An incident that is not over, and its run when that was submitted. */
  async function current(): Promise<{ readonly incident: Incident; readonly run: RunView | undefined } | undefined> {
    const incident = await openIncident(catalog.file, plan.name)
    if (incident === undefined) return undefined
    await using engine = openRunsAt(catalog.file)
    const run = await engine.status(incident.id).catch((error: unknown): undefined => {
      if (!isHoldfastError(error, 'run-not-found')) throw error
    })
    return { incident, run }
  }
  const over = (incident: Incident) => writeIncident(catalog.file, { ...incident, overAt: new Date().toISOString() })

  return {
    async finishOpen(watcher, signal) {
      const open = await current()
      return open?.run?.state === 'interrupted' ? await resumeRun(catalog, open.incident.id, watcher, signal) : undefined
    },
    async notice({ verdict }) {
      if (verdict !== 'healthy') return
      const open = await current()
      // Without a run it has passed by itself.
      if (open !== undefined && (open.run === undefined || open.run.endedAt !== undefined)) await over(open.incident)
    },
    async act(detection, watcher, signal) {
      if (!detection.start.start) return undefined
      const { onset } = detection.start
      const open = await current()
      // Recorded, but killed before its run was there. Whether it is the same outage shows in when that began.
      const isSame = open !== undefined && onset.getTime() <= Date.parse(open.incident.decidedAt)
      if (open !== undefined && !isSame) await over(open.incident)
      const incident = isSame ? open.incident : newIncident({ service, plan: plan.name, form }, detection, onset)
      if (!isSame) await writeIncident(catalog.file, incident)
      const prepared = prepareRecovery({
        catalog,
        service,
        runId: incident.id,
        form: incident.form,
        onsetAt: new Date(incident.onset),
        requestedBy: `detection by ${incident.by.join(', ')}`,
      })
      return await recoverService({ catalog, service, prepared, ...watcher }, signal)
    },
    [Symbol.asyncDispose]: () => lock[Symbol.asyncDispose](),
  }
}

function newIncident(parts: Pick<Incident, 'service' | 'plan' | 'form'>, { by = [] }: Detection, onset: Date): Incident {
  return {
    version: 1,
    id: incidentId(parts.plan, onset),
    ...parts,
    onset: onset.toISOString(),
    decidedAt: new Date().toISOString(),
    by: [...by],
  }
}
