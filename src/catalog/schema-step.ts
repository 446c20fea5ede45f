import { z } from 'zod'
import { durationText, entryName, planName, setOf, stepId, text } from './fields.ts'
import { callSchema, type KnownParams } from './schema-call.ts'

const retry = z
  .strictObject({
    attempts: z
      .int()
      .min(1)
      .max(1000)
      .meta({ expected: 'a whole number from 1 to 1000', description: 'Including the first one.' }),
    backoff: durationText.describe('The pause before the second attempt.').default('1s'),
    factor: z.number().min(1).describe('Each further pause is this many times longer.').default(2),
    maxBackoff: durationText.describe('The longest pause.').default('1m'),
  })
  .describe('What happens when an attempt fails. Absent: one attempt.')

const condition = z
  .strictObject({
    value: text.meta({
      expected: "an output of an earlier step, such as '${steps.restore.dataDirectory}'",
      description: 'An output of an earlier step.',
    }),
    equals: z.unknown().describe('What it must be.').optional(),
    notEquals: z.unknown().describe('What it must not be.').optional(),
  })
  .refine(({ equals, notEquals }) => (equals === undefined) !== (notEquals === undefined))
  .meta({
    expected: "one of 'equals' and 'notEquals'",
    description: 'Only when an output of an earlier step has this value, or has it not; otherwise it is left out.',
  })

const doDescription = 'What it does: one action with its parameters, as { sql.check: { … } }.'

/** What is done, how that is checked, and what takes it back. */
export function deeds(params: KnownParams | undefined) {
  return {
    do: callSchema('action', params, {}, doDescription).optional(),
    check: callSchema(
      'action',
      params,
      {
        every: durationText.describe('The pause between two looks.').default('1s'),
        timeout: durationText.describe('How long it may take to come true.').default('1m'),
      },
      'A read-only action that shows that the step worked, asked until it passes.',
    ).optional(),
    undo: callSchema('action', params, {}, 'What takes it back, instead of the action’s own undo.').optional(),
  }
}

function disaster(params: KnownParams | undefined) {
  return z
    .strictObject({
      ...deeds(params),
      skip: text.describe('Left out then, and why.').optional(),
      timeout: durationText.describe('For each attempt; default: the step’s.').optional(),
    })
    .refine(({ do: action, skip }) => (action === undefined) !== (skip === undefined))
    .meta({
      expected: "one of 'do' and 'skip'",
      description:
        'What is done instead when the source site cannot be reached (`holdfast recover --disaster`): another action with its own check and undo, or nothing.',
    })
}

/** One step of a plan. That it has one of `do` and `plan`, and what goes with which, is checked with its place in sub-plans.ts. */
export function stepSchema(params: KnownParams | undefined) {
  const { do: action, check, undo } = deeds(params)
  return z
    .strictObject({
      id: z
        .string()
        .regex(/^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$/)
        .meta({
          expected: 'letters, digits, hyphens and underscores (63 at most)',
          description: 'Its name within the plan.',
          examples: ['restore'],
        }),
      description: text.describe('For people, and for the runbook.').optional(),
      do: action,
      plan: planName
        .describe('Instead of `do`: the steps of another plan, known here as ID/STEP; their outputs are ${steps.ID/STEP.NAME}.')
        .optional(),
      with: z.record(entryName, z.unknown()).describe('With `plan`: its parameters.').optional(),
      after: setOf(stepId).describe('Steps that must be done before. Without any, it begins at once.').default([]),
      when: condition.optional(),
      group: entryName.describe('Of the steps of a group only so many run at once as the plan’s `groups` says.').optional(),
      timeout: durationText.describe('For each attempt.').default('10m'),
      retry: retry.optional(),
      check,
      undo,
      disaster: disaster(params).optional(),
      onFailure: z
        .enum(['undo', 'stop', 'continue', 'ask'])
        .describe(
          'undo: what is done so far is taken back. stop: the run ends, and all stays as it is. continue: the plan goes on without it. ask: a person decides.',
        )
        .default('undo'),
    })
    .superRefine(({ do: action, plan }, context) => {
      if (action === undefined && plan === undefined) context.addIssue({ code: 'custom', path: ['do'], message: 'missing' })
    })
    .describe('One step of a plan.')
}
