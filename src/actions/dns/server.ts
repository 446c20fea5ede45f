import { isIPv6 } from 'node:net'
import type { Reach } from '../contract.ts'
import { outputReference } from '../param-types.ts'
import { farthest } from '../reach.ts'
import { text } from '../../catalog/index.ts'

/** Where a DNS server is asked. */
export interface DnsServer {
  readonly host: string
  readonly port: number
}

export const dnsServer = text
  .refine((server) => outputReference.test(server) || parseServer(server) !== undefined)
  .meta({ expected: 'HOST, HOST:PORT or [IPv6]:PORT' })

/** Port 53 where none is given; undefined for what is no server. */
export function parseServer(server: string): DnsServer | undefined {
  if (isIPv6(server)) return { host: server, port: 53 }
  const [, bracketed, plain, port = '53'] = /^(?:\[([^\]]+)\]|([A-Za-z0-9._-]+))(?::(\d{1,5}))?$/.exec(server) ?? []
  const host = bracketed ?? plain
  if (host === undefined || (bracketed !== undefined && !isIPv6(bracketed))) return undefined
  return Number(port) >= 1 && Number(port) <= 65_535 ? { host, port: Number(port) } : undefined
}

/** Of a step that asks servers. One that is all an output of an earlier step is as local as that step; partly one, it could be anything. */
export function reachOfServers(servers: readonly string[]): Reach {
  return farthest(
    servers.map((server) => {
      if (/^\$\{steps\.[^}]*\}$/.test(server)) return 'local'
      const given = parseServer(server)
      return given === undefined ? 'outside' : { hosts: [`${given.host}:${given.port}`] }
    }),
  )
}

export function serverText({ host, port }: DnsServer): string {
  return port === 53 ? host : `${isIPv6(host) ? `[${host}]` : host}:${port}`
}
