/** `postgresql://ann:secret@/orders?host=/run/pg` is good for PostgreSQL, and no URL to the standard. */
const noHost = /^(postgres(?:ql)?:\/\/[^/?#]*@)(?=[/?]|$)/i

/** A connection URL in its parts; null for what is none. Without a host it names the loopback, unless a parameter says otherwise. */
export function parseConnectionUrl(url: string): URL | null {
  return URL.parse(url) ?? URL.parse(url.replace(noHost, '$1localhost'))
}

/** Whether it has the form of a connection URL at all. */
export function isConnectionUrl(text: string): boolean {
  return /^postgres(ql)?:\/\//i.test(text)
}

/** A connection URL for messages: `user@host:port/database`, never a password or another parameter. */
export function describeUrl(url: string): string {
  const parsed = parseConnectionUrl(url)
  if (parsed === null) return 'the PostgreSQL server'
  const parameter = (name: string) => parsed.searchParams.get(name) ?? undefined
  const user = parameter('user') ?? (parsed.username === '' ? undefined : decodeURIComponent(parsed.username))
  const host = parameter('host') ?? decodeURIComponent(parsed.hostname)
  const port = parameter('port') ?? parsed.port
  const database = parsed.pathname.slice(1)
  const server = `${host === '' ? 'localhost' : host}${port === '' ? '' : `:${port}`}`
  return `${user === undefined ? '' : `${user}@`}${server}${database === '' ? '' : `/${decodeURIComponent(database)}`}`
}

/** Where a server of ours listens, as a URL that `psql` and this program both take. `host` is a socket folder or an address. */
export function serverUrl(parts: {
  readonly host: string
  readonly port: number
  readonly user: string
  readonly database?: string
  readonly password?: string
}): string {
  const query = new URLSearchParams({ host: parts.host, port: String(parts.port), user: parts.user })
  if (parts.password !== undefined) query.set('password', parts.password)
  return `postgresql:///${encodeURIComponent(parts.database ?? 'postgres')}?${query.toString()}`
}

/** The parts of a connection URL that say where the server is and who connects. */
function parts(url: string): { readonly host: string; readonly user: string | undefined } | undefined {
  const parsed = parseConnectionUrl(url)
  if (parsed === null) return undefined
  const user = parsed.searchParams.get('user') ?? decodeURIComponent(parsed.username)
  return { host: parsed.searchParams.get('host') ?? decodeURIComponent(parsed.hostname), user: user === '' ? undefined : user }
}

/** Whether a connection URL leads to a socket or the loopback of this machine. */
export function leadsHere(url: string): boolean {
  const host = parts(url)?.host
  if (host === undefined) return false
  return host === '' || host.startsWith('/') || /^(?:localhost|127(?:\.\d+){3}|\[?::1\]?)$/i.test(host)
}

/** The database user that a connection URL names. */
export function urlUser(url: string): string | undefined {
  return parts(url)?.user
}

/** The same server, another database. */
export function withDatabase(url: string, database: string): string {
  const other = parseConnectionUrl(url)
  if (other === null) return url
  other.pathname = `/${encodeURIComponent(database)}`
  return URL.canParse(url) ? other.toString() : other.toString().replace('@localhost', '@')
}
