import picomatch from 'picomatch'

/** Whether what stands at this absolute path is left out, and all below it with it. */
export type Exclude = (path: string) => boolean

/**
 * restic's patterns: `*`, `?`, `[…]` within a name, `**` across any number of them. A pattern that begins with `/` is matched from the
 * root; any other matches wherever its components follow one another (`*.tmp`, `node_modules`, `cache/thumbs`). Dot files are no exception.
 */
export function createExclude(patterns: readonly string[]): Exclude {
  if (patterns.length === 0) return () => false
  const globs = patterns.map((pattern) => {
    const trimmed = pattern.length > 1 ? pattern.replace(/\/+$/, '') : pattern
    return trimmed.startsWith('/') ? trimmed.slice(1) : `**/${trimmed}`
  })
  const options = { dot: true, nobrace: true, noextglob: true, nonegate: true, posix: true, strictSlashes: true }
  const matchers = globs.map((glob) => picomatch(glob, options))
  return (path) => matchers.some((matches) => matches(path.slice(1)))
}
