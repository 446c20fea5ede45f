import { HoldfastError, isHoldfastError } from '../../kernel/index.ts'

/** What a failure during a base backup means for the backup. */
export function explainFailure(error: unknown): unknown {
  if (!isHoldfastError(error)) return error
  if (error.code === 'postgres-unreachable') {
    return new HoldfastError('postgres-unreachable', {
      message: `the base backup was cut off, and nothing of it counts: ${error.message}`,
      hint: 'run it again once the server can be reached; what is stored already is not sent to the repository twice',
      cause: error,
      retryable: true,
      details: error.details,
    })
  }
  if (error.details.sqlState === '55000') {
    return new HoldfastError('postgres-failed', {
      message: error.message,
      hint: 'a standby that is promoted during its backup cannot finish it: run the backup again',
      cause: error,
      retryable: true,
      details: error.details,
    })
  }
  return error
}
