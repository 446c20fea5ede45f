import { quote } from '../../kernel/index.ts'
import { urlInShell, type UrlOrSecret } from '../location.ts'
import type { Mysql } from './mysql-client.ts'

/**
 * A session has no name in MySQL but in the performance schema, which MariaDB leaves off; what it executes shows in every process list. So a held
 * session sleeps in a statement that begins with its name.
 */
export function heldStatement(name: string): string {
  return `/* ${name} */ do sleep(86400)`
}

interface MysqlSession {
  readonly id: number
  readonly user: string
  readonly info: string
}

export async function heldSessions(mysql: Mysql, name: string): Promise<MysqlSession[]> {
  return (await sessionsOf(mysql)).filter(({ info }) => info.startsWith(`/* ${name} */`))
}

/** How many connections ordinary users may have, and how many of them are free once this one is closed. The one for SUPER comes on top. */
export async function mysqlSeats(mysql: Mysql): Promise<{ all: number; free: number }> {
  const [limits] = await mysql.query(
    `select @@global.max_connections as of_all, @@session.max_user_connections as of_user, substring_index(user(), '@', 1) as user`,
  )
  const [status] = await mysql.query(`show global status like 'Threads_connected'`)
  const all = Number(limits?.of_all)
  const free = all - (Number(status?.Value) - 1)
  const ofUser = Number(limits?.of_user)
  const own = (await sessionsOf(mysql)).filter(({ user }) => user === limits?.user).length - 1
  return { all, free: Math.max(0, ofUser === 0 ? free : Math.min(free, ofUser - own)) }
}

/**
 * The command that ends the sessions of that name, with `mysql`, which takes no URL: one that is a secret becomes an option file, which is removed
 * again, so that its password shows neither here nor in a list of processes.
 */
export function endSessionsByHand(url: UrlOrSecret, name: string): string {
  const kills = `select concat('kill ', id, ';') from information_schema.processlist where info like '/* ${name} */%'`
  const end = (mysql: string) => `${mysql} -N -e ${quote(kills)} | ${mysql}`
  if (typeof url === 'string') return end(`${['mysql', ...mysqlWords(url)].map(quote).join(' ')}${tlsInShell(url)}`)
  const file = `f=$(mktemp) && printf %s ${urlInShell(url)} | perl -ne ${quote(optionFile)} > "$f"`
  return `${file} && ${end('mysql --defaults-extra-file="$f"')}; rm -f "$f"`
}

/** Perl, which `mysql` brings along: an option file of the URL on its input. Only a quoted value keeps a `#`, and in it a backslash is written twice. */
const optionFile = [
  String.raw`m{^\w+://(?:([^:@/]*)(?::([^@/]*))?@)?(?:\[([^\]]*)\]|([^:/?]*))(?::(\d+))?[^?]*(?:.*[?&]socketPath=([^&]*))?}`,
  String.raw`my %o = (user => $1, password => $2, host => $3 // $4, port => $5, socket => $6)`,
  String.raw`delete $o{host} if $o{socket}`,
  String.raw`my ($mode) = m{[?&]ssl-mode=(\w+)}`,
  String.raw`if ($mode and $mode ne "DISABLED") { if (qx(mysql --help) =~ /ssl-mode/) { $o{"ssl-mode"} = $mode } else { $o{$mode eq "REQUIRED" ? "ssl" : "ssl-verify-server-cert"} = 1 } }`,
  String.raw`print "[client]\n"`,
  String.raw`for my $k (sort keys %o) { next unless length($o{$k} // ""); (my $v = $o{$k}) =~ s/%([0-9a-f]{2})/chr hex $1/gei; $v =~ s/(["\\])/\\$1/g; print "$k=\"$v\"\n" }`,
].join('; ')

/** All that this user may see: its own, or with the privilege PROCESS everybody’s. */
async function sessionsOf(mysql: Mysql): Promise<MysqlSession[]> {
  const rows = await mysql.query('show full processlist')
  return rows.map(({ Id, User, Info }) => ({ id: Number(Id), user: String(User), info: String(Info ?? '') }))
}

function mysqlWords(url: string): string[] {
  const { hostname, port, username, searchParams } = new URL(url)
  const socket = searchParams.get('socketPath')
  const server = socket === null ? ['--host', hostname, ...(port === '' ? [] : ['--port', port])] : ['--socket', socket]
  return [...server, ...(username === '' ? [] : ['--user', decodeURIComponent(username)])]
}

/** MariaDB’s `mysql` has no ssl-mode, and MySQL’s no ssl. */
function tlsInShell(url: string): string {
  const mode = new URL(url).searchParams.get('ssl-mode') ?? 'DISABLED'
  if (mode === 'DISABLED') return ''
  const mariadb = mode === 'REQUIRED' ? '--ssl' : '--ssl-verify-server-cert'
  return ` $(mysql --help | grep -q ssl-mode && echo --ssl-mode=${mode} || echo ${mariadb})`
}
