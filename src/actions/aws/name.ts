import { text } from '../../catalog/index.ts'
import { outputReference } from '../param-types.ts'

/** An identifier that AWS gave to something, or an output of an earlier step. */
export const awsName = text.refine((name) => outputReference.test(name) || !/\s/.test(name), { message: 'no spaces' })
