import { basename } from 'node:path'
import type { DetectionWatch, Probe } from '../catalog/index.ts'
import { canonicalJson, formatDuration, sha256Hex } from '../kernel/index.ts'

const shownSql = 60

/** What is looked at, in words: no query of a URL and no arguments of a command, which may be secret. */
export function describeProbe(probe: Probe): string {
  switch (probe.kind) {
    case 'http': {
      const { origin, pathname } = new URL(probe.url)
      return `${origin}${pathname} answers ${probe.status}`
    }
    case 'tcp':
      return `${probe.host}:${probe.port} accepts connections`
    case 'sql':
      return `sql: ${probe.sql.length > shownSql ? `${probe.sql.slice(0, shownSql)}…` : probe.sql}`
    case 'command':
      return `command: ${basename(probe.command[0])}`
    case 'heartbeat':
      return `heartbeat no older than ${formatDuration(probe.maxAgeMs)}`
    default:
      return 'unknown'
  }
}

/**
 * Identifies what a plan's observers look at, alike on every machine that has the same catalog: where a secret is, is each machine's own
 * affair. 16 hex digits.
 */
export function ruleOf({ probes, failing }: Pick<DetectionWatch, 'probes' | 'failing'>): string {
  const portable = probes.map((probe) =>
    (probe.kind === 'sql' || probe.kind === 'heartbeat') && typeof probe.url !== 'string' ? { ...probe, url: 'secret' } : probe,
  )
  return sha256Hex(canonicalJson({ failing, probes: portable })).slice(0, 16)
}
