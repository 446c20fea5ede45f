import { isIPv6 } from 'node:net'

/** Where something listens. */
export interface HostPort {
  readonly host: string
  readonly port: number
}

/** HOST:PORT or [IPv6]:PORT; where there is a default port also HOST, [IPv6] and IPv6 alone. Undefined for anything else. */
export function parseHostPort(text: string, defaultPort?: number): HostPort | undefined {
  if (isIPv6(text)) return defaultPort === undefined ? undefined : { host: text, port: defaultPort }
  const [, bracketed, plain, given] = /^(?:\[([^\]]+)\]|([A-Za-z0-9._-]+))(?::(\d{1,5}))?$/.exec(text) ?? []
  const host = bracketed ?? plain
  const port = given === undefined ? defaultPort : Number(given)
  if (host === undefined || port === undefined || (bracketed !== undefined && !isIPv6(bracketed))) return undefined
  return port >= 1 && port <= 65_535 ? { host, port } : undefined
}

/** The same as text, as a drill's `allow` names it. */
export function hostPortText({ host, port }: HostPort): string {
  return `${isIPv6(host) ? `[${host}]` : host}:${port}`
}
