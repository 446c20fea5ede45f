import { z } from 'zod'
import { durationText, entryName, serviceName, setOf, stepId, text } from './fields.ts'
import { detection } from './schema-detection.ts'

/** The parameters of each action that a step can use, by the action's kind. */
export type ActionParams = Readonly<Record<string, z.ZodType>>

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

const doDescription = 'What it does: one action with its parameters, as { sql.check: { … } }.'

/** A map with the action's kind as its only key, and `extra` members beside it. */
function actionCall<Extra extends z.ZodRawShape>(params: ActionParams | undefined, extra: Extra, description: string) {
  const extras = Object.keys(extra).length
  const kinds = (call: object) => Object.keys(call).filter((key) => !Object.hasOwn(extra, key))
  const shape =
    params === undefined
      ? z.object(extra).catchall(z.unknown())
      : z.strictObject({
          ...Object.fromEntries(Object.entries(params).map(([kind, schema]) => [kind, schema.optional()])),
          ...extra,
        })
  return (shape as z.ZodType<z.output<z.ZodObject<Extra>> & Record<string, unknown>>)
    .refine((call) => kinds(call).length === 1)
    .meta({
      minProperties: 1,
      ...(extras === 0 ? { maxProperties: 1 } : {}),
      expected: 'exactly one action',
      description,
    })
}

function step(params: ActionParams | undefined) {
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
      do: actionCall(params, {}, doDescription),
      after: setOf(stepId).describe('Steps that must be done before. Without any, it begins at once.').default([]),
      when: z
        .strictObject({
          value: text.meta({
            expected: "an output of an earlier step, such as '${steps.restore.dataDirectory}'",
            description: 'An output of an earlier step.',
          }),
          equals: z.unknown().describe('What it must be.'),
        })
        .describe('Only when an output of an earlier step has this value; otherwise it is left out.')
        .optional(),
      timeout: durationText.describe('For each attempt.').default('10m'),
      retry: retry.optional(),
      check: actionCall(
        params,
        {
          every: durationText.describe('The pause between two looks.').default('1s'),
          timeout: durationText.describe('How long it may take to come true.').default('1m'),
        },
        'A read-only action that shows that the step worked, asked until it passes.',
      ).optional(),
      undo: actionCall(params, {}, 'What takes it back, instead of the action’s own undo.').optional(),
      onFailure: z
        .enum(['undo', 'continue', 'ask'])
        .describe('undo: what is done so far is taken back. continue: the plan goes on without it. ask: a person decides.')
        .default('undo'),
    })
    .describe('One step of a plan.')
}

export function planSchema(params: ActionParams | undefined) {
  return z
    .strictObject({
      description: text.describe('For people.').optional(),
      recovers: setOf(serviceName).min(1).describe('The services that it brings back.'),
      environment: entryName.describe('Only one run at a time in an environment. Default: the catalog’s name.').optional(),
      detection: detection.optional(),
      prerequisites: z.array(text).describe('What must be true before; shown to who runs it.').default([]),
      steps: z.array(step(params)).min(1).describe('What is done. Steps run as soon as those in `after` are done.'),
    })
    .describe('How services come back.')
}
