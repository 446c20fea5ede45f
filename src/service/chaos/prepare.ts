import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { resolveSecret, type Catalog, type ChaosEnvironment, type Experiment } from '../../catalog/index.ts'
import { experimentHash, promotion, readRecords, tooMuch } from '../../chaos/index.ts'
import { faults, type BoundFault, type FaultContext, type FaultPlan } from '../../faults/index.ts'
import { HoldfastError, isHoldfastError, messageOf, randomHex, systemClock, type Json } from '../../kernel/index.ts'
import { openRunsAt } from '../recovery/run-views.ts'
import { readStatus } from '../status.ts'
import { chaosFolders } from './folders.ts'
import { haltedBecause } from './halt.ts'
import { experimentRuns } from './history.ts'

/** Why an experiment may not run. */
export interface Guardrail {
  readonly code:
    | 'halted'
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

export interface PlannedFault {
  readonly kind: string
  readonly params: Json
  readonly irreversible: boolean
  readonly expiry: string
  readonly forMs: number
  readonly targets: readonly string[]
  readonly candidates?: number
  /** The plain commands that take it back. */
  readonly undo: readonly string[]
}

export interface PreparedExperiment {
  readonly experiment: Experiment
  readonly hash: string
  readonly environment: ChaosEnvironment
  readonly bound: readonly BoundFault[]
  readonly faults: readonly PlannedFault[]
  readonly guardrails: readonly Guardrail[]
}

/** Decides all about an experiment, and looks at every guardrail, without touching anything. Throws `not-found` and `usage`. */
export async function prepareExperiment(
  catalog: Catalog,
  name: string,
  { approval }: { readonly approval?: string },
  signal: AbortSignal,
): Promise<PreparedExperiment> {
  const experiment = Object.hasOwn(catalog.experiments, name) ? catalog.experiments[name] : undefined
  if (experiment === undefined) {
    throw new HoldfastError('not-found', {
      message: `the catalog has no experiment called ${name}`,
      hint: `it has ${Object.keys(catalog.experiments).join(', ') || 'none'}`,
    })
  }
  const hash = experimentHash(experiment)
  const bound = experiment.faults.map(({ kind, params }) => bindFault(kind, params))
  const guardrails: Guardrail[] = []
  const planned: PlannedFault[] = []
  for (const [index, fault] of bound.entries()) {
    const about = { kind: fault.kind, params: fault.params, irreversible: fault.irreversible, expiry: fault.expiry }
    const forMs = experiment.faults[index]?.forMs ?? 0
    const { plan, problems } = await planFault(catalog, experiment, fault, signal)
    guardrails.push(...problems)
    const undo = plan === undefined ? [] : fault.recall(plan.traces).manualUndo('ID')
    planned.push({
      ...about,
      forMs,
      targets: plan?.targets ?? [],
      undo,
      ...(plan?.candidates === undefined ? {} : { candidates: plan.candidates }),
    })
  }
  guardrails.push(
    ...(await switchRails(catalog)),
    ...(await promotionRails(catalog, experiment, hash)),
    ...approvalRails(experiment, bound, hash, approval),
    ...(await openRails(catalog)),
    ...(await objectiveRails(catalog, experiment, signal)),
  )
  return { experiment, hash, environment: experiment.environment, bound, faults: planned, guardrails }
}

function bindFault(kind: string, params: Json): BoundFault {
  const fault = faults.find((known) => known.kind === kind)
  if (fault !== undefined) return fault.bind(params)
  throw new HoldfastError('usage', {
    message: `there is no fault '${kind}'`,
    hint: `there are ${faults.map((each) => each.kind).join(', ')}`,
  })
}

async function planFault(
  catalog: Catalog,
  experiment: Experiment,
  fault: BoundFault,
  signal: AbortSignal,
): Promise<{ readonly plan?: FaultPlan<Json>; readonly problems: readonly Guardrail[] }> {
  const id = randomHex(8)
  const context: FaultContext = {
    id,
    experiment: experiment.name,
    clock: systemClock,
    // Nothing is put there: a plan changes nothing.
    folder: join(tmpdir(), `holdfast-plan-${id}`),
    deadlineMs: systemClock.monotonicMs() + experiment.limitMs,
    catalog,
    random: Math.random,
    resolveSecret,
  }
  try {
    const found = await fault.preflight(context, signal)
    const plan = await fault.plan(context, signal)
    const problems = found.map(({ message, hint }): Guardrail => ({
      code: 'fault-refused',
      message: `${fault.kind}: ${message}`,
      ...(hint === undefined ? {} : { hint }),
    }))
    if (plan.targets.length === 0) problems.push({ code: 'no-target', message: `${fault.kind} finds no target` })
    const because = tooMuch(experiment, plan)
    if (because !== undefined) problems.push({ code: 'blast-radius', message: `${fault.kind}: ${because}` })
    return { plan, problems }
  } catch (error) {
    signal.throwIfAborted()
    if (!isHoldfastError(error)) throw error
    return {
      problems: [
        {
          code: 'fault-refused',
          message: `${fault.kind}: ${messageOf(error)}`,
          ...(error.hint === undefined ? {} : { hint: error.hint }),
        },
      ],
    }
  }
}

async function switchRails(catalog: Catalog): Promise<Guardrail[]> {
  const because = await haltedBecause(catalog.file)
  return because === undefined ? [] : [{ code: 'halted', message: because, hint: '`holdfast chaos halt --lift` lifts it' }]
}

async function promotionRails(catalog: Catalog, { name, environment, passes }: Experiment, hash: string): Promise<Guardrail[]> {
  const runs = await experimentRuns(catalog.file)
  const ended = runs.flatMap((run) => (run.verdict === undefined ? [] : [{ ...run, verdict: run.verdict }]))
  const { allowed, before, passed, needed } = promotion(ended, hash, environment, passes)
  const rails: Guardrail[] = []
  if (!allowed) {
    const message = `${name} may run in ${environment} when it has passed ${needed} times in ${before}, unchanged and without a failure since: it has ${passed} times`
    rails.push({ code: 'not-promoted', message, hint: `set its environment to ${before}, and run it there` })
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
function approvalRails(
  { environment }: Experiment,
  bound: readonly BoundFault[],
  hash: string,
  approval: string | undefined,
): Guardrail[] {
  const serious = environment === 'production' || environment === 'always-on'
  if (!serious && (environment === 'dev' || bound.every(({ irreversible }) => !irreversible))) return []
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
async function objectiveRails(
  catalog: Catalog,
  { environment, services }: Experiment,
  signal: AbortSignal,
): Promise<Guardrail[]> {
  if (environment === 'dev') return []
  const { services: reports } = await readStatus(catalog, { services }, signal)
  return reports.flatMap(({ service, verdict }): Guardrail[] => {
    const hint = `\`holdfast status\` says why`
    if (verdict === 'missed') return [{ code: 'objective-missed', message: `an objective of ${service} is missed`, hint }]
    if (verdict === 'unknown') {
      return [{ code: 'restore-point-unverified', message: `nobody knows whether ${service} could be brought back`, hint }]
    }
    return []
  })
}
