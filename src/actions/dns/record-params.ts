import { z } from 'zod'
import { text } from '../../catalog/index.ts'
import { outputReference } from '../param-types.ts'
import { plainName, type RecordType, recordTypes, valueProblem } from '../../dns/index.ts'

export const domainName = text.regex(plainName).meta({ expected: 'a domain name, such as api.example.com' })

/** Which record it is about, and what it is to be. */
export const recordParams = {
  record: domainName.describe('The whole name of the record, such as api.example.com.'),
  type: z.enum(recordTypes).describe('What kind of record it is.'),
  values: z
    .union([text, z.array(text).min(1)])
    .describe('What it is to be: one value, or several (a CNAME has one). May be outputs of steps.'),
}

interface RecordParams {
  readonly type: RecordType
  readonly values: string | readonly string[]
}

/** What an output of a step is can only be seen when it is filled in. */
export function refineValues({ type, values }: RecordParams, refinement: z.core.$RefinementCtx<RecordParams>): void {
  const refuse = (message: string) => refinement.addIssue({ code: 'custom', message, path: ['values'] })
  if (type === 'CNAME' && [values].flat().length > 1) refuse('a CNAME has one value')
  for (const value of [values].flat().filter((one) => !outputReference.test(one))) {
    const problem = valueProblem(type, value)
    if (problem !== undefined) refuse(`${JSON.stringify(value)} ${problem}`)
  }
}
