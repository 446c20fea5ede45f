import { z } from 'zod'
import { HoldfastError, isErrorCode, isHoldfastError, messageOf, type Json } from '../kernel/index.ts'

const jsonDetails: z.ZodType<Record<string, Json>> = z.record(z.string(), z.json())

/** An error as a journal keeps it. Causes and stacks stay behind; details are kept when JSON can carry them. */
export const failureRecord = z.strictObject({
  code: z.string(),
  message: z.string(),
  hint: z.string().optional(),
  retryable: z.boolean(),
  details: jsonDetails.optional(),
})

export type FailureRecord = z.infer<typeof failureRecord>

export function recordFailure(error: unknown): FailureRecord {
  if (!isHoldfastError(error)) return { code: 'internal', message: messageOf(error), retryable: false }
  const details = jsonDetails.safeParse(error.details)
  return {
    code: error.code,
    message: error.message,
    ...(error.hint === undefined ? {} : { hint: error.hint }),
    retryable: error.retryable,
    ...(details.success && Object.keys(details.data).length > 0 ? { details: details.data } : {}),
  }
}

export function failureError({ code, message, hint, retryable, details }: FailureRecord): HoldfastError {
  return new HoldfastError(isErrorCode(code) ? code : 'internal', {
    message,
    retryable,
    ...(hint === undefined ? {} : { hint }),
    ...(details === undefined ? {} : { details }),
  })
}
