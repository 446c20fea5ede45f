import { createPathMatcher, type PathMatcher } from '../../backup/index.ts'

/** Whether what stands at this absolute path is left out, and all below it with it. */
export type Exclude = PathMatcher

/** By restic's patterns: see createPathMatcher. */
export function createExclude(patterns: readonly string[]): Exclude {
  return createPathMatcher(patterns)
}
