import type { CtkJournal, RollbackStrategy } from './types.ts'

/**
 * Whether rollbacks are played. Chaos Toolkit's default leaves out those of an experiment that was interrupted, and plays those of one that
 * did nothing; here, unless something else is wished for, they are played whenever an action has begun.
 */
export function mustRollBack(
  wish: RollbackStrategy,
  { status, deviated }: Pick<CtkJournal, 'status' | 'deviated'>,
  { strict, hasActed }: { readonly strict: boolean; readonly hasActed: boolean },
): boolean {
  switch (wish) {
    case 'always':
      return true
    case 'never':
      return false
    case 'deviated':
      return deviated
    default:
      return strict ? status !== 'failed' && status !== 'interrupted' : hasActed
  }
}
