import { rm } from 'node:fs/promises'
import { actions } from '../../actions/index.ts'
import { HoldfastError, stateDirectory } from '../../kernel/index.ts'
import { actionContext, bindAction, planAsRun, preflightPlan, type Plan, type StepFinding } from '../../recovery/index.ts'
import { actionServices } from '../recovery/action-services.ts'
import { recoverService, type FinishedRun, type RunWatcher } from '../recovery/recover.ts'
import type { DrillRequest, PreparedDrill } from './prepare.ts'
import { openSandbox } from './sandbox.ts'

/**
 * Runs a drill and gives its outcome, whatever it is. Aborting the signal lets the run go, as a recovery's.
 * Throws `preflight-failed`, with the lines to add, when the drill would leave its sandbox: nothing was begun then.
 */
export async function runDrill(
  { catalog, name }: Pick<DrillRequest, 'catalog' | 'name'>,
  prepared: PreparedDrill,
  watcher: RunWatcher,
  signal: AbortSignal,
): Promise<FinishedRun> {
  if (prepared.findings.length > 0) throw blocked(prepared.findings)
  return await recoverService({ catalog, service: name, prepared, ...watcher }, signal)
}

/** Every read-only check that the drill would begin with. The sandbox is made for it, and removed. */
export async function preflightDrill(
  { catalog }: Pick<DrillRequest, 'catalog'>,
  { spec: { runId }, input, drill, findings }: PreparedDrill,
  signal: AbortSignal,
): Promise<StepFinding[]> {
  const services = actionServices(catalog)
  const deps = {
    bind: ({ kind, params }: Plan['steps'][number]['action']) => bindAction(actions, kind, params),
    contextFor: ({ id }: Plan['steps'][number]) => actionContext(services, runId, input, id, {}),
  }
  if (findings.length > 0) return [...findings]
  const sandbox = drill.sandbox && { ...drill.sandbox, runId, stateDirectory: stateDirectory(catalog.file) }
  if (sandbox === undefined) return await preflightPlan(planAsRun(input), deps, signal)
  const made = await openSandbox(sandbox)
  try {
    return await preflightPlan(planAsRun(input), deps, signal)
  } finally {
    if (made !== undefined) await rm(made, { recursive: true })
  }
}

function blocked(findings: readonly StepFinding[]): HoldfastError {
  return new HoldfastError('preflight-failed', {
    message: `the drill was not begun: ${findings.map(({ step, message }) => `${step}: ${message}`).join('; ')}`,
    hint: [...new Set(findings.flatMap(({ hint }) => hint ?? []))].join('\n'),
    details: { findings: findings.map(({ step, code, message }) => ({ step, code, message })) },
  })
}
