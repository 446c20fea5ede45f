import picomatch from 'picomatch'

/** Whether an absolute path, or one of its ends, matches one of the patterns. */
export type PathMatcher = (path: string) => boolean

/**
 * restic's patterns: `*`, `?`, `[…]` within a name, `**` across any number of them. A pattern that begins with `/` is matched from the
 * root; any other matches wherever its components follow one another (`*.tmp`, `node_modules`, `cache/thumbs`). Dot files are no exception.
 */
export function createPathMatcher(
  patterns: readonly string[],
  { ignoreCase = false }: { readonly ignoreCase?: boolean } = {},
): PathMatcher {
  if (patterns.length === 0) return () => false
  const globs = patterns.map((pattern) => {
    const trimmed = pattern.length > 1 ? pattern.replace(/\/+$/, '') : pattern
    return trimmed.startsWith('/') ? trimmed.slice(1) : `**/${trimmed}`
  })
  const options = { dot: true, nobrace: true, noextglob: true, nonegate: true, posix: true, strictSlashes: true }
  // s: a name may begin with a line end, which a dot would not take.
  const flags = ignoreCase ? 'is' : 's'
  const matchers = globs.map((glob) => picomatch(glob, { ...options, nocase: ignoreCase, flags }))
  return (path) => matchers.some((matches) => matches(path.slice(1)))
}
