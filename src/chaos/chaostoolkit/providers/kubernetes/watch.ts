import type { Connection, KubeObject } from '../../../../clusters/index.ts'
import { systemClock } from '../../../../kernel/index.ts'
import { listAsIs, pathOf, queryOf, type Place, type Selection } from './objects.ts'

interface Seen<T> {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR'
  readonly object: T
}

/**
 * Whether one of the objects is, at some moment until then, as it must be. No state in between is missed: each look goes on where the one before
 * ended, and gives what happened since; it lasts a second.
 */
export async function isSeen<T extends KubeObject>(
  cluster: Connection,
  { place, selection, timeoutMs }: { readonly place: Place; readonly selection: Selection; readonly timeoutMs: number },
  holds: (object: T) => boolean,
): Promise<boolean> {
  const endMs = systemClock.monotonicMs() + timeoutMs
  const [path, query] = [pathOf(place), queryOf(selection)]
  let version: string | undefined
  do {
    if (version === undefined) {
      const found = (await listAsIs(cluster, place, selection)) as unknown as Listed<T>
      if (found.items.some(holds)) return true
      version = found.metadata.resourceVersion
    }
    const since = { ...query, watch: 'true', timeoutSeconds: '1', resourceVersion: version }
    const lines = await cluster.text({ method: 'GET', path, query: since, what: `watch ${place.resource}` })
    for (const line of lines.split('\n').filter(Boolean)) {
      const { type, object } = JSON.parse(line) as Seen<T>
      // What happened since is forgotten there by now.
      version = type === 'ERROR' ? undefined : object.metadata.resourceVersion
      if (type === 'ERROR') break
      if (holds(object)) return true
    }
  } while (systemClock.monotonicMs() < endMs)
  return false
}

interface Listed<T> {
  readonly metadata: { readonly resourceVersion: string }
  readonly items: readonly T[]
}
