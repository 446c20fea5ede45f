import { quote } from '../../kernel/index.ts'
import type { UrlOrSecret } from '../location.ts'
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

/** The command that ends the sessions of that name, with `mysql`, which takes no URL. */
export function endSessionsByHand(url: UrlOrSecret, name: string): string {
  const mysql = ['mysql', ...(typeof url === 'string' ? mysqlWords(url) : [])].map(quote).join(' ')
  const kills = `select concat('kill ', id, ';') from information_schema.processlist where info like '/* ${name} */%'`
  return `${mysql} -N -e ${quote(kills)} | ${mysql}`
}

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
