import { isHoldfastError, type HoldfastError } from '../kernel/index.ts'

/** Something of the repository is missing or damaged: what does not need it may go on. */
export function isDamage(error: unknown): error is HoldfastError {
  return (
    isHoldfastError(error, 'blob-missing') || isHoldfastError(error, 'pack-damaged') || isHoldfastError(error, 'object-damaged')
  )
}
