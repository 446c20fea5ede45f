import type { Sandbox } from '../../actions/index.ts'
import type { DrillInput } from './input.ts'

/** What a step of a drill keeps to; undefined for one that works on the real thing. */
export function sandboxOf(drill: DrillInput | undefined, step: string): Sandbox | undefined {
  if (drill?.sandbox === undefined) return undefined
  const { folder, approvals, network, allowed } = drill.sandbox
  const confined = !allowed.steps.includes(step)
  return { folder, confined, approvals, network: confined ? network : 'shared' }
}
