import type { Member } from './member.ts'
import { record, zone, type Names } from './names.ts'
import type { WorldNetwork } from './places.ts'
import { runtimePort } from './proxy.ts'

export interface CatalogChoices {
  /** Whether the switch of the primary's power, which the plan's disaster form uses, works. */
  readonly power: 'works' | 'refuses'
  /** Of the promotion, per attempt. */
  readonly promoteTimeout: string
}

/** The places that the observers are at. */
export const observers = { north: 'north', south: 'south', town: 'clients' } as const
export const collectorPort = 8710

interface CatalogWorld {
  readonly network: WorldNetwork
  readonly primary: Pick<Member, 'dataDir'>
  readonly west: Pick<Member, 'dataDir'>
  readonly names: Pick<Names, 'keyFile'>
}

/** Fences the primary and promotes west; takes clients out before, and leads them to west after that, by HAProxy and by name. */
export function catalogText({ network, primary, west, names }: CatalogWorld, { power, promoteTimeout }: CatalogChoices): string {
  const namespace = network.namespace('primary')
  const url = (of: 'primary' | 'west', database: string) =>
    `postgres://postgres@${network.address(of)}:5432/${database}?connect_timeout=2`
  const off =
    power === 'works'
      ? `for pid in $(ip netns pids ${namespace}); do kill -9 $pid; done; sleep 0.2; `
      : 'echo the switch does not answer >&2; exit 1; '
  const isOff = `test -z "$(ip netns pids ${namespace})"`
  const haproxy = (server: string, more: string) =>
    `haproxy.server: { socket: '${network.address('proxy')}:${runtimePort}', backend: orders, server: ${server}, within: 5s, commandTimeout: 1s, ${more} }`
  return `version: 1
name: acme
sites: { east: {}, west: {}, north: {}, south: {}, town: {} }
observers:
${Object.keys(observers)
  .map(
    (name) =>
      `  ${name}: { site: ${name}, report: { http: 'http://${network.address('runner')}:${collectorPort}', token: { env: OBSERVER_TOKEN } } }`,
  )
  .join('\n')}
services:
  orders:
    owner: Orders
    site: east
    objectives: { rpo: 1m, rto: 5m }
    data:
      postgres:
        url: '${url('primary', 'postgres')}'
        host: primary.example
        dataDirectory: ${primary.dataDir}
        runAs: postgres
        standbys:
          west: { url: '${url('west', 'shop')}', site: west, host: west.example, dataDirectory: ${west.dataDir} }
    recovery: failover
plans:
  failover:
    recovers: [orders]
    detection:
      symptoms: [the primary does not answer]
      probes: [{ sql: select 1, url: '${url('primary', 'postgres')}', timeout: 400ms }]
      observers: [${Object.keys(observers).join(', ')}]
      quorum: 2 of 3
      every: 500ms
      for: 1s
      decide: auto
    steps:
      - id: drain
        do: { ${haproxy('primary', 'state: maint, shutdownSessions: true')} }
        timeout: 20s
      - id: fence
        after: [drain]
        do: { postgres.fence: { server: primary, within: 5s, confirmFor: 300ms } }
        disaster:
          do: { shell: { run: '${off}${isOff}', probe: '${isOff}' } }
        timeout: 30s
      - id: promote
        after: [fence]
        do: { postgres.promote: { server: west, fencedBy: fence, heartbeat: { sql: select max(at) from rows, maxAge: 10m } } }
        timeout: ${promoteTimeout}
      - id: route
        after: [promote]
        do: { ${haproxy('west', 'state: ready')} }
        timeout: 20s
      - id: name
        after: [promote]
        do:
          dns.update:
            server: '${network.address('names')}:53'
            zone: ${zone}
            record: ${record}
            type: A
            values: ['${network.address('west')}']
            ttl: 1s
            queryTimeout: 1s
            key: { name: failover, secret: { file: '${names.keyFile}' } }
        timeout: 20s
      - id: verify
        after: [route, name]
        do: { sql.check: { url: '${url('west', 'shop')}', sql: 'select pg_is_in_recovery()', equals: false } }
`
}
