import type { Json } from '../../kernel/index.ts'

/**
 * A value with paths replaced wherever they stand in its texts, also within a command line. A path is whole names: `/srv/new` is in
 * `test -s /srv/new/a`, and not in `/srv/newer` or `/old/srv/new`.
 */
export function replacePaths(value: Json, moved: Readonly<Record<string, string>>): Json {
  // The longest first: of a folder and one within it the inner one counts.
  const paths = Object.keys(moved).toSorted((a, b) => b.length - a.length)
  if (paths.length === 0) return value
  const pattern = new RegExp(`(?<![\\w./-])(?:${paths.map((path) => RegExp.escape(path)).join('|')})(?![\\w.-])`, 'g')
  return mapTexts(value, (text) => text.replaceAll(pattern, (path) => moved[path] ?? path))
}

function mapTexts(value: Json, map: (text: string) => string): Json {
  if (typeof value === 'string') return map(value)
  if (Array.isArray(value)) return value.map((item: Json) => mapTexts(item, map))
  if (value === null || typeof value !== 'object') return value
  return Object.fromEntries(Object.entries(value).map(([key, member]: [string, Json]) => [key, mapTexts(member, map)]))
}
