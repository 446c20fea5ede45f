import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { resolveSecret, withWholePaths, type Catalog, type ChaosEnvironment, type Experiment } from '../../catalog/index.ts'
import { tooMuch } from '../../chaos/index.ts'
import { faults, type BoundFault, type FaultContext, type FaultPlan } from '../../faults/index.ts'
import { HoldfastError, isHoldfastError, messageOf, randomHex, systemClock, type Json } from '../../kernel/index.ts'
import { exclusionsOf, hashOf } from './concerns.ts'
import { guardrailsOf, type Guardrail } from './guardrails.ts'

export interface PlannedFault {
  readonly kind: string
  readonly params: Json
  readonly irreversible: boolean
  readonly expiry: string
  readonly forMs: number
  readonly repeat?: Experiment['faults'][number]['repeat']
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
  const hash = hashOf(catalog, experiment)
  const bound = experiment.faults.map(({ kind, params }) => bindFault(kind, withWholePaths(params, catalog)))
  const guardrails: Guardrail[] = []
  const planned: PlannedFault[] = []
  for (const [index, fault] of bound.entries()) {
    const about = { kind: fault.kind, params: fault.params, irreversible: fault.irreversible, expiry: fault.expiry }
    const { forMs = 0, repeat } = experiment.faults[index] ?? {}
    const { plan, problems } = await planFault(catalog, experiment, fault, signal)
    guardrails.push(...problems)
    const undo = plan === undefined ? [] : fault.recall(plan.traces).manualUndo('ID')
    planned.push({
      ...about,
      forMs,
      ...(repeat === undefined ? {} : { repeat }),
      targets: plan?.targets ?? [],
      undo,
      ...(plan?.candidates === undefined ? {} : { candidates: plan.candidates }),
    })
  }
  const irreversible = bound.some((fault) => fault.irreversible) || experiment.drill !== undefined
  guardrails.push(...(await guardrailsOf(catalog, experiment, { hash, irreversible, approval }, signal)))
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
    spare: exclusionsOf(catalog, experiment).labels,
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
