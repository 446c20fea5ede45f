import { z } from 'zod'
import type { KnownParams } from './schema-call.ts'
import { deeds } from './schema-step.ts'
import { absolutePath, durationText, entryName, interval, setOf, text } from './fields.ts'

const ways = ['with', 'do', 'skip'] as const

function substitution(params: KnownParams | undefined) {
  const { do: action, check } = deeds(params)
  return z
    .strictObject({
      with: z
        .record(z.string(), z.unknown())
        .describe('Parameters that take the place of the step’s own of the same names.')
        .optional(),
      do: action.describe('Another action instead. The step’s own check and undo go with its action.'),
      skip: text.describe('Why the drill leaves it out. What is left out is not proven.').optional(),
      check: check.describe('Instead of the step’s own check.'),
    })
    .refine((entry) => {
      const chosen = ways.filter((way) => entry[way] !== undefined)
      return chosen.length === 1 || (chosen.length === 0 && entry.check !== undefined)
    })
    .meta({ minProperties: 1, expected: "one of 'with', 'do' and 'skip', or another 'check'" })
}

const host = z
  .string()
  .regex(/^(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::\d{1,5})?$/)
  .meta({ expected: 'the name or address of a host, with a port or without, such as api.example.com:443' })

export function drillSchema(params: KnownParams | undefined) {
  return z
    .strictObject({
      substitute: z
        .record(z.string(), substitution(params))
        .describe(
          'What a sandbox drill does instead of a step, by the step’s id: one of `with`, `do` and `skip`, or another `check`.',
        )
        .default({}),
      allow: z
        .strictObject({
          steps: setOf(z.string()).describe('Steps that run in a sandbox drill as they are, wherever they reach.').default([]),
          hosts: setOf(host).describe('Hosts that steps of a sandbox drill may reach: name, or name:port.').default([]),
        })
        .describe('What a sandbox drill may reach outside its sandbox. Without it, nothing.')
        .optional(),
      directory: absolutePath
        .describe('Where sandboxes are made, each a folder of its own. Default: below the run, beside the catalog.')
        .optional(),
      approvals: z
        .enum(['answered', 'asked'])
        .describe('Whether a sandbox drill answers the steps that ask a person, or asks.')
        .default('answered'),
      every: interval
        .describe(
          'A drill in a sandbox is due this long after the last; never: it is not, for a plan that no sandbox can hold. Default: that of the tier, else 31d.',
        )
        .optional(),
      gameday: interval
        .describe('A live drill is due this long after the last; never: it is not. Default: that of the tier, else 92d.')
        .optional(),
      findings: z
        .strictObject({
          owner: text.describe('Who answers for what a drill finds. Default: the owner of the service.').optional(),
          due: durationText.describe('When it must be dealt with, counted from the drill.').default('14d'),
        })
        .describe('What becomes of what a drill finds.')
        .optional(),
      scenarios: z.record(entryName, text).describe('Stories to drill by, by name: what is said to have happened.').default({}),
    })
    .describe('How the plan is drilled: run on purpose, in a sandbox or live.')
}
