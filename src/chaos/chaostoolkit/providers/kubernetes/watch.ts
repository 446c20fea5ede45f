import type { Connection, KubeObject } from '../../../../clusters/index.ts'
import { systemClock } from '../../../../kernel/index.ts'
import { listAsIs, pathOf, queryOf, type Place, type Selection } from './objects.ts'

interface Seen<T> {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR'
  readonly object: T
}

const lookMs = 1000

/**
 * Whether one of the objects is, at some moment until then, as it must be. Each look goes on where the one before ended, and gives what happened
 * since; it lasts a second. So no state in between is missed, unless the cluster has forgotten it (410): then the next look begins anew.
 */
export async function isSeen<T extends KubeObject>(
  cluster: Connection,
  { place, selection, timeoutMs }: { readonly place: Place; readonly selection: Selection; readonly timeoutMs: number },
  holds: (object: T) => boolean,
  signal: AbortSignal,
): Promise<boolean> {
  const endMs = systemClock.monotonicMs() + timeoutMs
  const [path, query] = [pathOf(place), queryOf(selection)]
  let version: string | undefined
  for (;;) {
    const lookedMs = systemClock.monotonicMs()
    if (version === undefined) {
      const found = (await listAsIs(cluster, place, selection)) as unknown as Listed<T>
      if (found.items.some(holds)) return true
      version = found.metadata.resourceVersion
    }
    const since = { ...query, watch: 'true', timeoutSeconds: String(lookMs / 1000), resourceVersion: version }
    const lines = await cluster.text({ method: 'GET', path, query: since, what: `watch ${place.resource}` })
    for (const line of lines.split('\n').filter(Boolean)) {
      const { type, object } = JSON.parse(line) as Seen<T>
      // What happened since is forgotten there by now.
      version = type === 'ERROR' ? undefined : object.metadata.resourceVersion
      if (type === 'ERROR') break
      if (holds(object)) return true
    }
    const nowMs = systemClock.monotonicMs()
    if (nowMs >= endMs) return false
    // An answer at once, of a proxy or with an error, is no reason to ask at once again; the look at the end gives what happened meanwhile.
    const restMs = Math.ceil(Math.min(lookedMs + lookMs, endMs) - nowMs)
    if (restMs > 0) await systemClock.sleep(restMs, signal)
  }
}

interface Listed<T> {
  readonly metadata: { readonly resourceVersion: string }
  readonly items: readonly T[]
}
