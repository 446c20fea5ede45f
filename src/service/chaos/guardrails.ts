import { withDependencies, type Catalog, type Experiment } from '../../catalog/index.ts'
import { excludedBecause, promotion, readRecords, wrongTime } from '../../chaos/index.ts'
import { systemClock } from '../../kernel/index.ts'
import { openRunsAt } from '../recovery/run-views.ts'
import { readStatus } from '../status.ts'
import { concerned, exclusionsOf } from './concerns.ts'
import { drillProblems } from './drill.ts'
import { chaosFolders } from './folders.ts'
import { haltedBecause } from './halt.ts'
import { experimentRuns } from './past-runs.ts'

/** Why an experiment may not run. */
export interface Guardrail {
  readonly code:
    | 'halted'
    | 'wrong-time'
    | 'excluded'
    | 'drill-refused'
    | 'history-unseen'
    | 'not-promoted'
    | 'not-approved'
    | 'fault-refused'
    | 'no-target'
    | 'blast-radius'
    | 'fault-open'
    | 'run-open'
    | 'experiment-running'
    | 'objective-missed'
    | 'restore-point-unverified'
  readonly message: string
  readonly hint?: string
}

interface Asked {
  readonly hash: string
  /** Something of it cannot be taken back. */
  readonly irreversible: boolean
  readonly approval: string | undefined
}

/** Everything that forbids an experiment, but for what its faults would hit. */
export async function guardrailsOf(
  catalog: Catalog,
  experiment: Experiment,
  asked: Asked,
  signal: AbortSignal,
): Promise<Guardrail[]> {
  return [
    ...(await switchRails(catalog)),
    ...timeRails(catalog, experiment),
    ...exclusionRails(catalog, experiment),
    ...(await drillRails(catalog, experiment, signal)),
    ...(await promotionRails(catalog, experiment, asked.hash, signal)),
    ...approvalRails(experiment, asked),
    ...(await openRails(catalog)),
    ...(await objectiveRails(catalog, experiment, signal)),
  ]
}

/** The catalog's own times are for where a failure is felt; those of the experiment are always its own. */
function timeRails({ chaos }: Catalog, { environment, windows, limitMs }: Experiment): Guardrail[] {
  const isFelt = environment !== 'dev'
  const all = [...(isFelt && chaos.windows !== undefined ? [chaos.windows] : []), ...(windows === undefined ? [] : [windows])]
  const times = { timeZone: chaos.timeZone, peak: isFelt ? chaos.peak : undefined, windows: all }
  const because = wrongTime(times, systemClock.now(), limitMs)
  if (because === undefined) return []
  return [{ code: 'wrong-time', message: `not now: ${because}`, hint: 'run it at another time; its limit counts too' }]
}

function exclusionRails(catalog: Catalog, experiment: Experiment): Guardrail[] {
  const { services: excluded } = exclusionsOf(catalog, experiment)
  const because = excludedBecause(concerned(catalog, experiment), excluded, (service) => withDependencies(catalog, [service]))
  return because === undefined ? [] : [{ code: 'excluded', message: because }]
}

async function drillRails(catalog: Catalog, experiment: Experiment, signal: AbortSignal): Promise<Guardrail[]> {
  const problems = await drillProblems(catalog, experiment, signal)
  return problems.map(({ message, hint }) => ({
    code: 'drill-refused',
    message: `its plan ${experiment.drill?.plan}: ${message}`,
    ...(hint === undefined ? {} : { hint }),
  }))
}

async function switchRails(catalog: Catalog): Promise<Guardrail[]> {
  const because = await haltedBecause(catalog.file)
  return because === undefined ? [] : [{ code: 'halted', message: because, hint: '`holdfast chaos halt --lift` lifts it' }]
}

async function promotionRails(
  catalog: Catalog,
  { name, environment, passes }: Experiment,
  hash: string,
  signal: AbortSignal,
): Promise<Guardrail[]> {
  const { runs, unseen } = await experimentRuns(catalog, undefined, signal)
  const ended = runs.flatMap((run) => (run.verdict === undefined ? [] : [{ ...run, verdict: run.verdict }]))
  const { allowed, before, passed, needed } = promotion(ended, hash, environment, passes)
  const rails: Guardrail[] = []
  if (!allowed) {
    const message = `${name} may run in ${environment} when it has passed ${needed} times in ${before}, unchanged and without a failure since: it has ${passed} times`
    rails.push({ code: 'not-promoted', message, hint: `set its environment to ${before}, and run it there` })
  }
  // A failure that was put on record elsewhere may stand in one that cannot be read.
  if (environment !== 'dev') {
    for (const { repository, because } of unseen) {
      const message = `the ledger of ${repository} cannot be read, and it may know of a failure: ${because}`
      rails.push({ code: 'history-unseen', message, hint: '`holdfast status` shows what can be seen' })
    }
  }
  const running = runs.find(({ state, environment: other }) => state === 'running' && other === environment)
  if (running !== undefined) {
    rails.push({
      code: 'experiment-running',
      message: `${running.experiment} runs in ${environment}: one at a time`,
      hint: 'wait for it, or halt it',
    })
  }
  return rails
}

/** What cannot be taken back, and what may be felt by users, is only done after somebody has said so of exactly this experiment. */
function approvalRails({ environment }: Experiment, { hash, irreversible, approval }: Asked): Guardrail[] {
  const serious = environment === 'production' || environment === 'always-on'
  if (!serious && (environment === 'dev' || !irreversible)) return []
  if (approval !== undefined && approval.length >= 8 && hash.startsWith(approval)) return []
  return [
    {
      code: 'not-approved',
      message:
        approval === undefined
          ? `it needs an approval in ${environment}`
          : `the approval is of another experiment than this one (${hash.slice(0, 8)})`,
      hint: `whoever has looked at \`holdfast chaos plan\` gives --approve ${hash.slice(0, 8)}`,
    },
  ]
}

async function openRails(catalog: Catalog): Promise<Guardrail[]> {
  const rails: Guardrail[] = []
  for (const { record, closed } of await readRecords(chaosFolders(catalog.file).faults)) {
    if (closed) continue
    const message = `the fault ${record.kind} of ${record.experiment} is still open`
    rails.push({ code: 'fault-open', message, hint: '`holdfast chaos sweep` takes it back' })
  }
  await using engine = openRunsAt(catalog.file)
  for (const { runId, state } of await engine.list({ onUnreadable: () => {} })) {
    if (state === 'completed' || state === 'failed') continue
    rails.push({ code: 'run-open', message: `run ${runId} is ${state}`, hint: `\`holdfast run show ${runId}\` shows it` })
  }
  return rails
}

/** Beyond dev nothing is broken that could not be brought back by now. */
async function objectiveRails(catalog: Catalog, experiment: Experiment, signal: AbortSignal): Promise<Guardrail[]> {
  if (experiment.environment === 'dev') return []
  const { services: reports } = await readStatus(catalog, { services: concerned(catalog, experiment) }, signal)
  return reports.flatMap(({ service, verdict }): Guardrail[] => {
    const hint = `\`holdfast status\` says why`
    if (verdict === 'missed') return [{ code: 'objective-missed', message: `an objective of ${service} is missed`, hint }]
    if (verdict === 'unknown') {
      return [{ code: 'restore-point-unverified', message: `nobody knows whether ${service} could be brought back`, hint }]
    }
    return []
  })
}
