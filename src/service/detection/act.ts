import { join } from 'node:path'
import type { Catalog } from '../../catalog/index.ts'
import type { RunView } from '../../durable/index.ts'
import type { Claim } from '../../detection/index.ts'
import { isHoldfastError, stateDirectory } from '../../kernel/index.ts'
import { openRunsAt } from '../recovery/run-views.ts'
import { recoverService, resumeRun, type FinishedRun, type RunWatcher } from '../recovery/recover.ts'
import { prepareRecovery } from '../recovery/prepare.ts'
import { soleProcess } from '../sole-process.ts'
import { openClaims, type Claims } from './claims.ts'
import { deciderIdentity } from './decider-identity.ts'
import type { Detection } from './detect.ts'
import { incidentId, openIncident, writeIncident, type Incident } from './incidents.ts'
import { isRecorded } from './plan-runs.ts'
import { tellPeople, type Telling } from './tell.ts'
import type { WatchedService } from './watched-plan.ts'

/**
 * What came of acting on a detection. `claimed`: another machine is about to start a run, which this one takes over if it does not begin.
 * `begun`: it has begun one. `not-claimable`: nobody can tell whether another does, so nothing is started.
 */
export type Acted =
  | { readonly kind: 'ran'; readonly run: FinishedRun }
  | { readonly kind: 'claimed' | 'begun'; readonly claim: Claim }
  | { readonly kind: 'not-claimable'; readonly because: string }

/** Who starts runs by detection: one process for a plan on a machine. Disposing lets another one take over. */
export interface Decider extends AsyncDisposable {
  /** Goes on with the run of an earlier incident that has not ended, if there is one that no process works on. */
  finishOpen(watcher: RunWatcher, signal: AbortSignal): Promise<FinishedRun | undefined>
  /** Keeps in mind that it was seen well: only then can it go down anew. */
  notice(detection: Detection, signal: AbortSignal): Promise<void>
  /** Starts the plan when the detection allows it, and no other machine does; undefined when the detection does not. */
  act(detection: Detection, watcher: RunWatcher, signal: AbortSignal): Promise<Acted | undefined>
  /** Tells people, once for an incident and a reason, that nothing is started by itself; undefined when there is nothing to tell, or nobody. */
  tell(detection: Detection, details: string, acted: Acted | undefined, signal: AbortSignal): Promise<Telling | undefined>
}

export interface DeciderOptions {
  /** Of runs that begin here. Default: normal. */
  readonly form?: Incident['form']
  /** Called behind each record that a crash could come after: where crash tests pull the plug. */
  readonly afterRecord?: (what: 'claim' | 'incident') => void
}

/**
 * Each incident is recorded, with the id of its run, before the run is submitted: killed at any moment, whoever takes over finds the incident,
 * and submits that run or goes on with it, and never makes another. With `claims`, it is claimed before all machines first, and the run
 * begins only if the claim still holds. Throws `run-busy` when another process of this machine decides for this plan.
 */
export async function openDecider(
  catalog: Catalog,
  watched: WatchedService,
  { form = 'normal', afterRecord = () => {} }: DeciderOptions = {},
): Promise<Decider> {
  const { service, plan } = watched
  const lock = await soleProcess(
    join(stateDirectory(catalog.file), 'deciders', plan.name),
    `detection for the plan ${plan.name}`,
    'one process decides for a plan: that one goes on',
  )
  const claims: Claims | undefined =
    watched.claims && openClaims(catalog, plan.name, watched.claims, await deciderIdentity(catalog.file))

  async function runOf(id: string): Promise<RunView | undefined> {
    await using engine = openRunsAt(catalog.file)
    return await engine.status(id).catch((error: unknown): undefined => {
      if (!isHoldfastError(error, 'run-not-found')) throw error
    })
  }
  /** An incident that is not over, and its run when that was submitted. */
  async function current(): Promise<{ readonly incident: Incident; readonly run: RunView | undefined } | undefined> {
    const incident = await openIncident(catalog.file, plan.name)
    return incident && { incident, run: await runOf(incident.id) }
  }
  const over = (incident: Incident) => writeIncident(catalog.file, { ...incident, overAt: new Date().toISOString() })
  /** Whether a run has ended, here or, by its record, on another machine. */
  const settledBy = (signal: AbortSignal) => async (id: string) => {
    const run = await runOf(id)
    return run === undefined ? await isRecorded(catalog, id, signal) : run.endedAt !== undefined
  }

  return {
    async finishOpen(watcher, signal) {
      const open = await current()
      return open?.run?.state === 'interrupted' ? await resumeRun(catalog, open.incident.id, watcher, signal) : undefined
    },
    async notice({ verdict }, signal) {
      if (verdict !== 'healthy') return
      const open = await current()
      // Without a run it has passed by itself.
      if (open === undefined || (open.run !== undefined && open.run.endedAt === undefined)) return
      // Where that cannot be said to the others now, it is said at a later look.
      const failed = await claims?.over('it was seen well', settledBy(signal), signal).catch(passing(signal))
      if (failed === undefined) await over(open.incident)
    },
    async act(detection, watcher, signal) {
      if (!detection.start.start) return undefined
      const { onset } = detection.start
      const open = await current()
      // Recorded, but killed before its run was there. Whether it is the same outage shows in when that began.
      const isSame = open !== undefined && onset.getTime() <= Date.parse(open.incident.decidedAt)
      let incident = isSame ? open.incident : newIncident({ service, plan: plan.name, form }, detection, onset)
      const taken = await claims?.take(incident, settledBy(signal), signal).catch(passing(signal))
      if (taken !== undefined && 'because' in taken) return { kind: 'not-claimable', because: taken.because }
      if (taken !== undefined && taken.state !== 'ours') return { kind: taken.state, claim: taken.claim }
      if (taken !== undefined) {
        incident = { ...incident, id: taken.claim.run, onset: taken.claim.onset }
        afterRecord('claim')
      }
      if (open !== undefined && open.incident.id !== incident.id) await over(open.incident)
      if (open?.incident.id !== incident.id) await writeIncident(catalog.file, incident)
      afterRecord('incident')
      const prepared = prepareRecovery({
        catalog,
        service,
        runId: incident.id,
        form: incident.form,
        onsetAt: new Date(incident.onset),
        requestedBy: `detection by ${incident.by.join(', ')}`,
        ...(watched.claims === undefined ? {} : { claimedIn: watched.claims.repository }),
      })
      return { kind: 'ran', run: await recoverService({ catalog, service, prepared, ...watcher }, signal) }
    },
    async tell(detection, details, acted, signal) {
      const because = reasonOf(detection, acted)
      if (because === undefined || detection.since === undefined || watched.notify.length === 0) return undefined
      const open = await current()
      const incident = open?.incident ?? newIncident({ service, plan: plan.name, form }, detection, detection.since)
      if (incident.told.includes(because)) return { state: 'told-before' }
      if (open === undefined) await writeIncident(catalog.file, incident)
      const telling = await tellPeople({ catalog, watched, incident, because, details, claims }, signal)
      if (telling.state === 'told') await writeIncident(catalog.file, { ...incident, told: [...incident.told, because] })
      return telling
    },
    async [Symbol.asyncDispose]() {
      await claims?.[Symbol.asyncDispose]()
      await lock[Symbol.asyncDispose]()
    },
  }
}

/** Why it is for people; undefined while it is not: it was announced, or an open run of this machine is theirs already. */
function reasonOf({ verdict, start, excusedUntil }: Detection, acted: Acted | undefined): string | undefined {
  if (verdict !== 'down' || excusedUntil !== undefined) return undefined
  if (start.start) return acted?.kind === 'begun' ? 'begun-elsewhere' : acted?.kind === 'not-claimable' ? acted.kind : undefined
  return quietReasons.has(start.because) ? undefined : start.because
}

/** Nobody is told. */
const quietReasons: ReadonlySet<string> = new Set(['run-open', 'not-down'])

/** A repository that cannot be reached is part of the disaster: it ends nothing. */
function passing(signal: AbortSignal): (error: unknown) => { readonly because: string } {
  return (error) => {
    signal.throwIfAborted()
    if (!isHoldfastError(error) || error.code === 'internal') throw error
    return { because: error.message }
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
    told: [],
  }
}
