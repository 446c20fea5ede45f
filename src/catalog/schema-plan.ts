import { z } from 'zod'
import { dependencyName, durationText, entryName, serviceName, setOf, text } from './fields.ts'
import { detection } from './schema-detection.ts'
import type { KnownParams } from './schema-call.ts'
import { stepSchema } from './schema-step.ts'
import { drillSchema } from './schema-drill.ts'

const commit = z
  .strictObject({
    within: durationText.describe('How long people may try what was recovered before it counts.'),
    else: z
      .enum(['undo', 'commit', 'ask'])
      .describe(
        'When nobody has said anything by then. undo: all is taken back. commit: it stays. ask: the run goes on waiting.',
      ),
  })
  .describe(
    'A commit window. When all steps are done that do not come after it, the run waits for `holdfast run commit`, or `--undo`. Other steps may name it: after: [commit].',
  )

const parameter = z
  .strictObject({
    description: text.describe('For people.').optional(),
    default: z.unknown().describe('Its value where none is given. Without a default it must be given.').optional(),
  })
  .describe('A parameter.')

export function planSchema(params: KnownParams | undefined) {
  return z
    .strictObject({
      description: text.describe('For people.').optional(),
      recovers: setOf(serviceName)
        .describe('The services that it brings back. Empty for a plan that only others use as a step.')
        .default([]),
      params: z
        .record(entryName, parameter)
        .describe('What a plan that uses this one as a step can give it: ${params.NAME} in the parameters of its steps.')
        .default({}),
      fourEyes: z
        .boolean()
        .describe(
          'Nothing begins before somebody else than who started the run has approved it (`holdfast run approve`, within 1h).',
        )
        .default(false),
      commit: commit.optional(),
      groups: z
        .record(entryName, z.strictObject({ limit: z.int().min(1).describe('How many of its steps may run at once.') }))
        .describe('Groups of steps that must not all run at once, by name.')
        .default({}),
      environment: entryName.describe('Only one run at a time in an environment. Default: the catalog’s name.').optional(),
      detection: detection(params).optional(),
      needs: setOf(dependencyName)
        .describe(
          'Services, and entries of `external`, that a run of it, or of a plan that uses it as a step, needs: a vault, a name server, the chat that approvers are asked in.',
        )
        .default([]),
      prerequisites: z.array(text).describe('What must be true before; shown to who runs it.').default([]),
      drill: drillSchema(params).optional(),
      steps: z.array(stepSchema(params)).min(1).describe('What is done. Steps run as soon as those in `after` are done.'),
    })
    .describe('How services come back.')
}
