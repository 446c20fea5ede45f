import { z } from 'zod'
import { durationText, serviceName, setOf, text } from './fields.ts'

export const groupSchema = z
  .strictObject({
    members: setOf(serviceName).min(2).describe('The services that must come back to one point in time.'),
    rpo: durationText
      .describe(
        'The most data, in time, that the group may lose when all come back to one point. Default: the shortest of its members’.',
      )
      .optional(),
    spread: durationText
      .describe('How far apart the states may be that its members come back to. Default: it is shown, and not judged.')
      .optional(),
    description: text.describe('For people: why they belong together.').optional(),
  })
  .meta({
    description:
      'Services whose data belongs together: an order without its payment is worth little. Its recovery point is that of its worst member.',
    examples: [{ members: ['orders-db', 'payments-db'], spread: '5m' }],
  })
