import { z } from 'zod'
import { defineAction } from '../../src/actions/define-action.ts'
import { createPlanHandler, inputAsJson, type Plan, type PlanStep } from '../../src/recovery/index.ts'
import { openLocalEngine, type DurableEngine, type RunSpec } from '../../src/durable/index.ts'
import { codeVersion, inputOf, passingCheck, planOf, servicesIn } from './plans.ts'

/** Does nothing, as a check that passes: what is left of a run's time is the interpreter's. */
const noOp = defineAction({
  kind: 'no-op',
  description: 'Does nothing.',
  example: {},
  effect: 'read-only',
  params: z.strictObject({}),
  run: () => Promise.resolve(null),
  manual: () => ['true'],
})

/** `chain`: each after the one before. `wide`: none waits. `layers`: ten beside each other, each after all of the layer before. */
export const planShapes = ['chain', 'layers', 'wide'] as const
export type PlanShape = (typeof planShapes)[number]

const layerSize = 10

export function noOpPlan(shape: PlanShape, count: number): Plan {
  return planOf(
    Array.from({ length: count }, (_, index): PlanStep => ({
      ...passingCheck(`step-${index}`, before(shape, index)),
      action: { kind: 'no-op', params: {} },
    })),
  )
}

function before(shape: PlanShape, index: number): string[] {
  if (shape === 'wide') return []
  if (shape === 'chain') return index === 0 ? [] : [`step-${index - 1}`]
  const layer = Math.floor(index / layerSize)
  return layer === 0 ? [] : Array.from({ length: layerSize }, (_, beside) => `step-${(layer - 1) * layerSize + beside}`)
}

export function openNoOpEngine(folder: string): DurableEngine {
  return openLocalEngine({
    directory: folder,
    handler: createPlanHandler({ actions: [noOp], services: servicesIn(folder) }),
  })
}

export function noOpSpec(runId: string, plan: Plan): RunSpec {
  const input = inputOf(plan)
  return { runId, planHash: input.planHash, codeVersion, input: inputAsJson(input) }
}
