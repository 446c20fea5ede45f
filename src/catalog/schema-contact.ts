import { z } from 'zod'
import { contactWays, waysOf } from './contact.ts'
import { contactName, durationText, siteName, text } from './fields.ts'

export const contactSchema = z
  .strictObject({
    title: text
      .meta({ description: 'How they are called. Default: the name of the entry.', examples: ['Platform Team'] })
      .optional(),
    phone: text.meta({ expected: 'text, such as "+1-555-0100"', description: 'A number that is answered.' }).optional(),
    pager: text.describe('An address or a key of the pager service.').optional(),
    sms: text.meta({ expected: 'text, such as "+1-555-0100"', description: 'A number that takes text messages.' }).optional(),
    chat: text.describe('A channel that is watched.').optional(),
    email: text.describe('An address.').optional(),
    hours: text.describe('When they answer. Default: always.').optional(),
    site: siteName.describe('Where they work: what takes the site may keep them from answering.').optional(),
    description: text.describe('For people.').optional(),
  })
  .refine((contact) => waysOf(contact).length > 0)
  .meta({
    minProperties: 1,
    expected: `a way to reach them: ${contactWays.join(', ')}`,
    description: 'Somebody to call: a person, a team, a rota. Services name them as their owner, and escalations call them.',
    examples: [{ phone: '+1-555-0100' }],
  })

const escalationStep = z.strictObject({
  call: contactName.describe('Who is called.'),
  by: z
    .enum(contactWays)
    .describe('How. Default: the first that the contact has, in the order phone, pager, sms, chat, email.')
    .optional(),
  after: durationText
    .describe('How long after the first call, while nobody has taken it over. The first has none: it is at once.')
    .optional(),
})

export const escalationSchema = z
  .array(escalationStep)
  .min(1)
  .meta({
    description: 'Who is called one after the other, until somebody answers.',
    examples: [[{ call: 'platform' }, { call: 'head-of-platform', after: '15m' }]],
  })
