import { isPlainMap, pathText, type Finding, type Path } from './finding.ts'

const maxDepth = 64

/**
 * A value of a program as YAML could have given it: maps, lists, texts, numbers, true, false and null. The rest is a finding,
 * without its offset. Throws what a getter throws.
 */
export function plainValue(value: unknown): { readonly value: unknown; readonly findings: readonly Omit<Finding, 'offset'>[] } {
  const findings: Omit<Finding, 'offset'>[] = []
  const open = new Set<object>()
  const read = (at: unknown, path: Path): unknown => {
    if (typeof at === 'string' || typeof at === 'boolean' || at === null || at === undefined) return at
    if (typeof at === 'number' && Number.isFinite(at)) return at
    const isMap = isPlainMap(at) && [Object.prototype, null].includes(Object.getPrototypeOf(at) as object | null)
    if (typeof at !== 'object' || !(isMap || Array.isArray(at))) {
      findings.push({
        code: 'wrong-type',
        message: `${pathText(path)} is ${kindOf(at)}`,
        expected: 'what could be written in YAML',
      })
      return undefined
    }
    if (open.has(at) || path.length > maxDepth) {
      const how = open.has(at) ? 'holds itself' : `is nested more than ${maxDepth} levels deep`
      findings.push({ code: open.has(at) ? 'alias-loop' : 'too-large', message: `${pathText(path)} ${how}` })
      return undefined
    }
    open.add(at)
    const plain = Array.isArray(at)
      ? at.map((item: unknown, index) => read(item, [...path, index]) ?? null)
      : readMembers(at, path)
    open.delete(at)
    return plain
  }
  // A member that is undefined is one that is not there.
  const readMembers = (map: object, path: Path) =>
    Object.fromEntries(
      Object.entries(map).flatMap(([key, member]) => {
        if (key === '__proto__') {
          findings.push({ code: 'bad-key', message: `the key '${key}' is not allowed in ${pathText(path)}` })
          return []
        }
        const plain = read(member, [...path, key])
        return plain === undefined ? [] : [[key, plain]]
      }),
    )
  return { value: read(value, []), findings }
}

function kindOf(value: unknown): string {
  if (typeof value === 'function') return 'a function'
  if (typeof value !== 'object' || value === null) return typeof value === 'number' ? String(value) : `a ${typeof value}`
  return `of the class ${value.constructor.name}`
}
