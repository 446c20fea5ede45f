import { HoldfastError, isHoldfastError } from '../../kernel/index.ts'

/** Where no lock can be written, reading is still possible: from a read-only medium, from a disk that is full. */
export function withReadingHint(error: unknown): unknown {
  if (!isHoldfastError(error, 'permission-denied') && !isHoldfastError(error, 'disk-full')) return error
  const { code, message, hint = '', details } = error
  const reading = 'to read or restore without writing a lock to the repository, give --no-lock'
  return new HoldfastError(code, { message, hint: `${hint}; ${reading}`, details, cause: error })
}
