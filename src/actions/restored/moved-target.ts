import { join } from 'node:path'
import type { InSandbox, SandboxPlace } from '../contract.ts'
import { outputReference } from '../param-types.ts'

/** A restore whose target is a folder of its own in the sandbox, named after its step. */
export function movedTarget<Params extends { readonly target: string }>(
  params: Params,
  { folder, step }: SandboxPlace,
): InSandbox<Params> {
  // A step of a plan that another uses is called ID/STEP.
  const target = join(folder, step.replaceAll('/', '--'))
  const moved = outputReference.test(params.target) ? {} : { [params.target]: target }
  return { params: { ...params, target }, moved }
}
