/** One difference between two JSON values. A member that is absent was not there. */
export interface Change {
  /** JSON Pointer (RFC 6901). */
  readonly path: string
  readonly before?: unknown
  readonly after?: unknown
}

export interface PatchOperation {
  readonly op: 'test' | 'add' | 'replace' | 'remove'
  readonly path: string
  readonly value?: unknown
}

/** The patch (RFC 6902) that brings every change, and is refused as a whole where anything is not as it was before. */
export function patchOf(changes: readonly Change[]): PatchOperation[] {
  const tests = changes.flatMap(({ path, before }): PatchOperation[] =>
    before === undefined ? [] : [{ op: 'test', path, value: before }],
  )
  const writes = changes.map(({ path, before, after }): PatchOperation => {
    if (after === undefined) return { op: 'remove', path }
    return { op: before === undefined ? 'add' : 'replace', path, value: after }
  })
  return [...tests, ...writes]
}

/** The same changes backwards, the last one first. */
export function reversed(changes: readonly Change[]): Change[] {
  return changes
    .map(({ path, before, after }) => ({
      path,
      ...(after === undefined ? {} : { before: after }),
      ...(before === undefined ? {} : { after: before }),
    }))
    .toReversed()
}

/** What differs, member by member; a list counts as one value. */
export function differences(before: unknown, after: unknown, path = ''): Change[] {
  if (isRecord(before) && isRecord(after)) {
    const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])]
    return keys.flatMap((key) => differences(before[key], after[key], `${path}/${pointerWord(key)}`))
  }
  if (isSame(before, after)) return []
  return [{ path, ...(before === undefined ? {} : { before }), ...(after === undefined ? {} : { after }) }]
}

/** What stands at a JSON Pointer; undefined for nothing. */
export function valueAt(value: unknown, path: string): unknown {
  const keys = path
    .split('/')
    .slice(1)
    .map((key) => key.replaceAll('~1', '/').replaceAll('~0', '~'))
  return keys.reduce<unknown>(
    (at, key) => (isRecord(at) || Array.isArray(at) ? (at as Readonly<Record<string, unknown>>)[key] : undefined),
    value,
  )
}

export function pointerWord(key: string): string {
  return key.replaceAll('~', '~0').replaceAll('/', '~1')
}

/** Whether two JSON values are the same; the order of members says nothing. */
export function isSame(a: unknown, b: unknown): boolean {
  if (Array.isArray(a) && Array.isArray(b)) return a.length === b.length && a.every((item, index) => isSame(item, b[index]))
  if (isRecord(a) && isRecord(b)) {
    const keys = Object.keys(a)
    return keys.length === Object.keys(b).length && keys.every((key) => Object.hasOwn(b, key) && isSame(a[key], b[key]))
  }
  return a === b
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
