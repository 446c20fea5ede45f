import { ActivityFailed } from '../../types.ts'
import { clusterFunction } from './define.ts'
import { list, pathOf } from './objects.ts'
import { flag, namedSelector, ns, optionalName, optionalText, withName } from './parameters.ts'

/** Of all pods together: they are held in memory, and are in the journal. */
const maxBytes = 16 * 1024 * 1024

/**
 * The logs of pods, with the time at the beginning of each line, by the pods' names. Throws ActivityFailed for more than 16 MiB: of logs that are cut off, nobody
 * could say that something is not in them.
 */
export const readPodLogs = clusterFunction(
  {
    name: optionalName,
    last: optionalText,
    ns,
    from_previous: flag.default(false),
    label_selector: namedSelector,
    container_name: optionalText,
  },
  async ({ name, last, ns: namespace, from_previous: previous, label_selector: labels, container_name: container }, cluster) => {
    const place = { resource: 'pods', ns: namespace } as const
    const since = last === null ? 0 : secondsOf(last)
    const query = {
      timestamps: 'true',
      previous: String(previous),
      ...(container === null ? {} : { container }),
      ...(since > 0 ? { sinceSeconds: String(since) } : {}),
    }
    const logs: Record<string, string> = {}
    let leftBytes = maxBytes
    for (const { metadata } of await list(cluster, place, { selector: withName(labels, name) })) {
      const path = pathOf(place, metadata.name, 'log')
      const what = `read the logs of pod ${metadata.name}`
      // One more than may be: then there are more.
      const log = await cluster.text({ method: 'GET', path, query: { ...query, limitBytes: String(leftBytes + 1) }, what })
      leftBytes -= Buffer.byteLength(log)
      if (leftBytes < 0) {
        throw new ActivityFailed(
          `the logs of these pods are more than ${maxBytes / 1024 ** 2} MiB: ask for those of a shorter time by last, or of fewer pods`,
        )
      }
      logs[metadata.name] = log
    }
    return logs
  },
)

const unitSeconds: readonly (readonly [unit: RegExp, seconds: number])[] = [
  [/^s(?:ec(?:ond)?s?)?$/, 1],
  [/^m(?:in(?:ute)?s?)?$/, 60],
  [/^h(?:(?:ou)?rs?)?$/, 3600],
  [/^d(?:ays?)?$/, 86_400],
  [/^w(?:eeks?)?$/, 604_800],
]

/** A span that ends now: `10 minutes`, `1 hour 30 min ago`, `90s`. Throws ActivityFailed for other texts, which the package may understand. */
export function secondsOf(last: string): number {
  const span = last
    .trim()
    .toLowerCase()
    .replace(/\s+ago$/, '')
  const parts = [...span.matchAll(/(\d+)\s*([a-z]+)(?:\s*,?\s*)/g)]
  const isWhole = parts.length > 0 && parts.map(([part]) => part).join('') === span
  const seconds = parts.map(([, amount, unit = '']) => Number(amount) * (unitSeconds.find(([is]) => is.test(unit))?.[1] ?? NaN))
  const sum = seconds.reduce((total, part) => total + part, 0)
  if (isWhole && !Number.isNaN(sum)) return sum
  throw new ActivityFailed(`'${last}' is no span of time that is understood here: write it as 10 minutes`)
}
