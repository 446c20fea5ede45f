import { z } from 'zod'
import { durationText, text } from './fields.ts'

export const strategySchema = z
  .strictObject({
    title: text.describe('For people; absent: its name.').optional(),
    description: text.describe('For people.').optional(),
    rpo: durationText.describe('The most data, in time, that it may lose.').optional(),
    rto: durationText.describe('The longest that it may take.').optional(),
    costPerMonth: z.number().min(0).describe('What it costs to have it, for one service.').optional(),
    available: z.boolean().describe('false: it is not to be had here, and never recommended.').default(true),
  })
  .meta({
    description:
      'A strategy of your own, or what one of the usual ones promises and costs with you: backup-and-restore, cold-standby, pilot-light, warm-standby, hot-standby, multi-region-active.',
    examples: [{ rpo: '10m', rto: '30m', costPerMonth: 6500 }],
  })
