import { parseDuration } from '../kernel/index.ts'
import { buildSecret } from './build-secret.ts'
import { durationOf, present } from './present.ts'
import type { CatalogFile } from './schema.ts'
import type * as catalog from './types.ts'

type FileObserver = CatalogFile['observers'][string]
type FileDetection = NonNullable<CatalogFile['plans'][string]['detection']>
type FileProbe = NonNullable<FileDetection['probes']>[number]
type FileHealth = NonNullable<CatalogFile['services'][string]['health']>

export function buildHealth({ http, tcp = '', status = 200, timeout }: FileHealth): catalog.HealthCheck {
  const timeoutMs = parseDuration(timeout)
  if (http !== undefined) return { kind: 'http', url: http, status, timeoutMs }
  const colon = tcp.lastIndexOf(':')
  return { kind: 'tcp', host: tcp.slice(0, colon), port: Number(tcp.slice(colon + 1)), timeoutMs }
}

function buildProbe(probe: FileProbe, directory: string): catalog.Probe {
  const { sql, url, command, heartbeat } = probe
  const timeoutMs = parseDuration(probe.timeout)
  const connection = (from: NonNullable<typeof url>) => (typeof from === 'string' ? from : buildSecret(from, directory))
  if (sql !== undefined && url !== undefined) return { kind: 'sql', sql, url: connection(url), timeoutMs }
  if (command !== undefined) {
    const [program = '', ...args] = command
    return { kind: 'command', command: [program, ...args], timeoutMs }
  }
  if (heartbeat === undefined) return buildHealth(probe)
  const maxAgeMs = parseDuration(heartbeat.maxAge)
  return { kind: 'heartbeat', sql: heartbeat.sql, url: connection(heartbeat.url), maxAgeMs, timeoutMs }
}

export function buildObserver({ report, reference, ...rest }: FileObserver, name: string, directory: string): catalog.Observer {
  const { http, token } = report
  return present({
    name,
    ...rest,
    report:
      http !== undefined && token !== undefined
        ? { kind: 'http' as const, url: http, token: buildSecret(token, directory) }
        : { kind: 'repository' as const, repository: report.repository ?? '' },
    reference: reference && buildProbe(reference, directory),
  })
}

/** `health`: that of the services that the plan recovers. */
export function buildDetection(detection: FileDetection, directory: string, health: readonly FileHealth[]): catalog.Detection {
  const { symptoms, quorum, for: holds, decide, observers, failing, every, quiet, probes, notify, claims } = detection
  const [needed, of] = quorum?.split(' of ').map(Number) ?? []
  const forMs = durationOf(holds)
  return present({
    symptoms,
    decide,
    notify: (notify ?? []) as catalog.Detection['notify'],
    claims: claims && { repository: claims.repository, expireMs: parseDuration(claims.expire) },
    forMs,
    quorum: needed === undefined || of === undefined ? undefined : { needed, of },
    watch:
      observers === undefined || needed === undefined || forMs === undefined
        ? undefined
        : {
            probes: probes?.map((probe) => buildProbe(probe, directory)) ?? health.map(buildHealth),
            failing,
            observers,
            needed,
            forMs,
            everyMs: parseDuration(every),
            quietMs: parseDuration(quiet),
          },
  })
}
