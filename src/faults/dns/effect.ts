import { z } from 'zod'
import { durationText } from '../../catalog/index.ts'
import { plainName, recordTypes, valueProblem } from '../../dns/index.ts'

const values = z.array(z.string().min(1)).min(1)

const answer = z
  .strictObject({
    A: values.describe('IPv4 addresses.').optional(),
    AAAA: values.describe('IPv6 addresses.').optional(),
    CNAME: z
      .tuple([z.string().min(1)])
      .describe('Another name, whatever is asked for.')
      .optional(),
    TXT: values.describe('Texts.').optional(),
  })
  .superRefine((records, refinement) => {
    if (Object.keys(records).length === 0)
      refinement.addIssue({ code: 'custom', message: 'expected one of A, AAAA, CNAME and TXT' })
    if (records.CNAME !== undefined && Object.keys(records).length > 1)
      refinement.addIssue({
        code: 'custom',
        path: ['CNAME'],
        message: 'a name that is an alias has no other records (RFC 1034, 3.6.2): expected CNAME alone',
      })
    for (const type of recordTypes) {
      for (const value of records[type] ?? []) {
        const problem = valueProblem(type, value)
        if (problem !== undefined)
          refinement.addIssue({ code: 'custom', path: [type], message: `${JSON.stringify(value)} ${problem}` })
      }
    }
  })

/** What happens to a question. */
export const effectParam = z
  .union([
    z.strictObject({
      answer: answer.describe('These records, which nobody may remember (TTL 0); of other types there are none.'),
    }),
    z.strictObject({
      fail: z
        .enum(['NXDOMAIN', 'SERVFAIL', 'REFUSED', 'timeout'])
        .describe('There is no such name, the server has failed, it refuses, or it never answers.'),
    }),
    z.strictObject({ delay: durationText.describe('The right answer comes that much later.') }),
  ])
  .meta({ expected: 'one of answer, fail and delay' })

export type Effect = z.infer<typeof effectParam>

/** `example.com`, or `*.example.com` for all names below it. */
export const namePattern = z.string().regex(plainName, 'expected a name, such as api.example.com or *.example.com')
