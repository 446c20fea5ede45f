import { z } from 'zod'
import type { EvidenceBody } from '../../ledger/index.ts'
import type { StepReport } from '../../recovery/index.ts'

const restoringKinds: ReadonlyMap<string, 'files' | 'postgres'> = new Map([
  ['files.restore', 'files'],
  ['postgres.restore', 'postgres'],
])

/** `skipped`: entries that could not be restored. A step that does not say so may have lost some. */
const restoreOutput = z.object({ service: z.string(), repository: z.string(), snapshot: z.string(), skipped: z.int() })

/** Snapshots that steps of a run restored, known to be without a file that could not be. */
export function restoredIn(
  steps: readonly Pick<StepReport, 'kind' | 'state' | 'output'>[],
): NonNullable<EvidenceBody<'recovery'>['restored']> {
  return steps.flatMap(({ kind, state, output }) => {
    const source = restoringKinds.get(kind)
    const { data: found } = restoreOutput.safeParse(output)
    if (state !== 'done' || source === undefined || found?.skipped !== 0) return []
    const { service, repository, snapshot } = found
    return [{ service, source, repository, snapshot }]
  })
}
