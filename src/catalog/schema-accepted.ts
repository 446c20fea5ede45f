import { z } from 'zod'
import { text } from './fields.ts'

/** A weakness that was looked at and is lived with. */
export const acceptedSchema = z
  .strictObject({
    lint: text.meta({
      expected: 'the code of a lint, such as no-immutable-copy',
      description: 'Its code; docs/lints.md lists them.',
    }),
    of: text.describe('The service, plan, repository or external entry that it is about. Absent: all.').optional(),
    because: text.describe('Why it is right to leave it so.'),
    by: text.describe('Who decided that.'),
    until: z.iso.date().meta({
      expected: 'a date as 2027-03-31',
      description: 'Until the end of that day; then `holdfast validate` shows it again. Nothing is accepted for ever.',
    }),
  })
  .meta({
    description: 'A weakness that was looked at and is lived with for a time.',
    examples: [{ lint: 'one-medium', because: 'disks of different makers', by: 'Platform Team', until: '2027-03-31' }],
  })
