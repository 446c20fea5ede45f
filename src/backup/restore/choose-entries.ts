import { createPathMatcher } from '../path-pattern.ts'

/** Which entries of a snapshot are restored, by restic's patterns on their paths in it (see createPathMatcher). */
export interface EntryPatterns {
  /** Only what matches one of them, and what is in folders that do; everything when there are none. */
  readonly include?: readonly string[]
  /** The same, with upper and lower case alike. */
  readonly iinclude?: readonly string[]
  /** Not what matches one of them, whatever else does. */
  readonly exclude?: readonly string[]
  readonly iexclude?: readonly string[]
}

/** `below`: not itself, but perhaps something in it. */
export type Choice = 'whole' | 'below' | 'not'

/** Given a path in the snapshot, and whether the folder that it is in is restored whole. */
export type ChooseEntry = (path: Buffer, isInWhole: boolean) => Choice

export function createChooser({ include = [], iinclude = [], exclude = [], iexclude = [] }: EntryPatterns): ChooseEntry {
  const all = include.length + iinclude.length === 0
  const isIncluded = anyOf(include, iinclude)
  const isExcluded = anyOf(exclude, iexclude)
  return (path, isInWhole) => {
    const text = path.toString()
    if (isExcluded(text)) return 'not'
    return all || isInWhole || isIncluded(text) ? 'whole' : 'below'
  }
}

export function choosesAll({ include = [], iinclude = [] }: EntryPatterns): boolean {
  return include.length + iinclude.length === 0
}

function anyOf(patterns: readonly string[], folded: readonly string[]): (path: string) => boolean {
  const [exact, ignoringCase] = [createPathMatcher(patterns), createPathMatcher(folded, { ignoreCase: true })]
  return (path) => exact(path) || ignoringCase(path)
}
