import { actions } from '../../actions/index.ts'
import { isHoldfastError } from '../../kernel/index.ts'
import { bindAction, planAsRun, type PlanInput, type StepTime } from '../../recovery/index.ts'
import { pastStepTimes } from '../runbook/step-times.ts'
import { loadRunCatalog } from './load-catalog.ts'

/** What those who watch a run want to know besides its events. */
export interface RunBackground {
  /** How long steps took in past runs. */
  readonly usual: ReadonlyMap<string, StepTime>
  /** Steps that cannot be undone. */
  readonly noReturn: ReadonlySet<string>
  /** The shortest of the services that it recovers. */
  readonly rtoMs?: number
}

/** A run can be watched without its catalog: then only the plan that it began with tells. */
export async function runBackground(catalogPath: string, input: PlanInput): Promise<RunBackground> {
  const { plan } = input
  const noReturn = new Set(planAsRun(input).steps.flatMap(({ id, action }) => (isNoReturn(action) ? [id] : [])))
  try {
    const catalog = await loadRunCatalog(catalogPath)
    const objectives = plan.recovers.flatMap((name) => catalog.services[name]?.objectives.rtoMs ?? [])
    const usual = await pastStepTimes(catalog, plan.name)
    return { usual, noReturn, ...(objectives.length === 0 ? {} : { rtoMs: Math.min(...objectives) }) }
  } catch (error) {
    if (!isHoldfastError(error)) throw error
    return { usual: new Map(), noReturn }
  }
}

/** An action that this version does not know is none whose effect it can tell. */
function isNoReturn({ kind, params }: PlanInput['plan']['steps'][number]['action']): boolean {
  try {
    return bindAction(actions, kind, params).effect === 'point-of-no-return'
  } catch {
    return false
  }
}
