import { HoldfastError, isHoldfastError, messageOf, systemCode, type ErrorCode } from '../kernel/index.ts'

/** An error as it crosses between threads: structured clone keeps neither the class nor the fields of a HoldfastError. */
export interface WireError {
  readonly code: ErrorCode
  readonly message: string
  readonly hint: string | undefined
  readonly retryable: boolean
  readonly details: Readonly<Record<string, unknown>>
  readonly stack: string | undefined
  readonly systemCode: string | undefined
}

export function toWire(error: unknown): WireError {
  const stack = error instanceof Error ? error.stack : undefined
  if (isHoldfastError(error)) {
    const { code, message, hint, retryable, details } = error
    return { code, message, hint, retryable, details, stack, systemCode: systemCode(error.cause) }
  }
  return {
    code: 'internal',
    message: messageOf(error),
    hint: undefined,
    retryable: false,
    details: {},
    stack,
    systemCode: systemCode(error),
  }
}

/** The error again, with the other thread's stack and system code (`ENOENT`, …) in its cause. */
export function fromWire(wire: WireError): HoldfastError {
  const cause = new Error(`in a worker thread: ${wire.message}`)
  if (wire.stack !== undefined) cause.stack = wire.stack
  if (wire.systemCode !== undefined) Object.assign(cause, { code: wire.systemCode })
  const { code, message, hint, retryable, details } = wire
  return new HoldfastError(code, { message, retryable, details, cause, ...(hint === undefined ? {} : { hint }) })
}
