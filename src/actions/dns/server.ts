import type { Reach } from '../contract.ts'
import { outputReference } from '../param-types.ts'
import { farthest } from '../reach.ts'
import { text } from '../../catalog/index.ts'
import { type HostPort, hostPortText, parseHostPort } from '../../kernel/index.ts'

export const dnsServer = text
  .refine((server) => outputReference.test(server) || parseServer(server) !== undefined)
  .meta({ expected: 'HOST, HOST:PORT or [IPv6]:PORT' })

/** Port 53 where none is given; undefined for what is no server. */
export function parseServer(server: string): HostPort | undefined {
  return parseHostPort(server, 53)
}

/** Of a step that asks servers. One that is all an output of an earlier step is as local as that step; partly one, it could be anything. */
export function reachOfServers(servers: readonly string[]): Reach {
  return farthest(
    servers.map((server) => {
      if (/^\$\{steps\.[^}]*\}$/.test(server)) return 'local'
      const given = parseServer(server)
      return given === undefined ? 'outside' : { hosts: [hostPortText(given)] }
    }),
  )
}

export function serverText(server: HostPort): string {
  return server.port === 53 ? server.host : hostPortText(server)
}
