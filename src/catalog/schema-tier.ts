import { z } from 'zod'
import { durationText, escalationName, interval, scheduleText, text } from './fields.ts'

/** How a tier is called: as services name it. */
export const tierNumber = z.string().regex(/^\d$/).meta({ expected: 'a whole number from 0 to 9' })

export const tierSchema = z
  .strictObject({
    description: text.describe('For people: what is in it, and why.').optional(),
    objectives: z
      .strictObject({
        rpo: durationText.describe('Recovery point objective of its services.').optional(),
        rto: durationText.describe('Recovery time objective of its services.').optional(),
      })
      .describe('Of its services that declare none of their own.')
      .optional(),
    escalation: escalationName.describe('Who is called for its services that do not name an escalation themselves.').optional(),
    verify: z
      .strictObject({
        check: scheduleText.describe('When the copies of its services are read and checked.').optional(),
        restoreTest: scheduleText.describe('When its services are restored to a sandbox.').optional(),
      })
      .describe('Of its services that hold data and do not say it themselves.')
      .optional(),
    drill: z
      .strictObject({
        every: interval.describe('A drill in a sandbox is due this long after the last.').optional(),
        gameday: interval.describe('A live drill is due this long after the last.').optional(),
      })
      .describe('Of plans that do not say it themselves. A plan that recovers services of several tiers has the shortest.')
      .optional(),
  })
  .meta({
    description:
      'What services have that are as important as this, and do not say otherwise. What a service itself declares counts.',
    examples: [{ objectives: { rpo: '5m', rto: '15m' } }],
  })
