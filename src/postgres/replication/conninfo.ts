import { unreadableUrl } from '../connection/connect.ts'
import { parseConnectionUrl } from '../connection/location.ts'

/** What libpq knows of what a URL may say; the driver's own options are not passed on. */
const passedOn = new Set([
  'host',
  'port',
  'user',
  'password',
  'dbname',
  'sslmode',
  'sslcert',
  'sslkey',
  'sslrootcert',
  'sslcrl',
  'passfile',
  'connect_timeout',
  'keepalives',
  'keepalives_idle',
  'target_session_attrs',
  'gssencmode',
  'channel_binding',
])

/**
 * A connection URL as libpq's keywords and values, for primary_conninfo and for PostgreSQL's programs (PostgreSQL documentation, "Connection
 * Strings"). The password is apart, so that it need not stand on a command line. Throws `usage` for what is no URL.
 */
export function conninfo(
  url: string,
  more: Readonly<Record<string, string>> = {},
): { readonly text: string; readonly password: string | undefined } {
  const parsed = parseConnectionUrl(url)
  if (parsed === null) throw unreadableUrl(url)
  const found: Record<string, string> = {}
  const put = (name: string, value: string) => {
    if (value !== '') found[name] = value
  }
  // An IPv6 address has its brackets in a URL alone.
  put('host', decodeURIComponent(parsed.hostname).replace(/^\[(.*)\]$/, '$1'))
  put('port', parsed.port)
  put('user', decodeURIComponent(parsed.username))
  put('password', decodeURIComponent(parsed.password))
  put('dbname', decodeURIComponent(parsed.pathname.slice(1)))
  for (const [name, value] of parsed.searchParams) if (passedOn.has(name)) put(name, value)
  const { password, ...rest } = { ...found, ...more }
  const text = Object.entries(rest)
    .map(([name, value]) => `${name}=${quoteValue(value)}`)
    .join(' ')
  return { text, password }
}

/** A value of a connection string, in quotes where it needs them. */
export function quoteValue(value: string): string {
  return /^[\w./:@%+-]+$/.test(value) ? value : `'${value.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`
}
