import { HoldfastError, stateDirectory } from '../../kernel/index.ts'
import { failureError, openLocalEngine, type DurableEngine, type RunView } from '../../durable/index.ts'
import { planInput, planOutcome, type PlanInput, type PlanOutcome } from '../../recovery/index.ts'

/** The runs of the catalog at that path, to look at and to write to: the catalog itself need not be there, or be right. */
export function openRunsAt(catalogPath: string): DurableEngine {
  return openLocalEngine({ directory: stateDirectory(catalogPath) })
}

/** What a run was submitted with. Throws `journal-damaged` for what this version does not understand. */
export function inputOf({ runId, input }: Pick<RunView, 'runId' | 'input'>): PlanInput {
  const parsed = planInput.safeParse(input)
  if (parsed.success) return parsed.data
  throw new HoldfastError('journal-damaged', {
    message: `what run ${runId} was begun with is nothing that this version of Holdfast understands`,
    hint: 'look at it with the version that began it',
    cause: parsed.error,
  })
}

/** How a run ended; undefined while it has not. Throws the error of a run that failed otherwise than by its plan. */
export function outcomeOf({ result }: Pick<RunView, 'result'>): PlanOutcome | undefined {
  if (result === undefined) return undefined
  if (result.state === 'failed') throw failureError(result.error)
  return planOutcome.parse(result.value)
}
