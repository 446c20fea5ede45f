import { chmod, chown, mkdir, readdir, readFile, stat } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { HoldfastError } from '../../kernel/index.ts'

/** The operating system's user that a server runs as. */
export interface ServerAccount {
  readonly name: string
  readonly uid: number
  readonly gid: number
}

/**
 * Who can run a server: this process's own user; as root, which PostgreSQL refuses, the named one, else `postgres`, else `nobody`.
 * It must exist in /etc/passwd: initdb asks for its name.
 */
export async function serverAccount(name?: string): Promise<ServerAccount> {
  const uid = process.geteuid?.()
  const gid = process.getegid?.()
  if (uid === undefined || gid === undefined) return { name: process.env.USERNAME ?? 'postgres', uid: -1, gid: -1 }
  const accounts = await readAccounts()
  if (uid !== 0) return accounts.find((account) => account.uid === uid) ?? { name: String(uid), uid, gid }
  const wanted = name === undefined ? ['postgres', 'nobody'] : [name]
  const found = wanted.map((want) => accounts.find((account) => account.name === want)).find((account) => account !== undefined)
  if (found && found.uid !== 0) return found
  throw new HoldfastError('postgres-failed', {
    message: `PostgreSQL refuses to run as root, and there is no user ${wanted.join(' or ')} to run it as`,
    hint: 'add one (`useradd --system postgres`), or run this as an ordinary user',
  })
}

async function readAccounts(): Promise<ServerAccount[]> {
  const text = await readFile('/etc/passwd', 'utf8').catch(() => '')
  return text.split('\n').flatMap((line) => {
    const [name = '', , uid, gid] = line.split(':')
    return uid === undefined || gid === undefined ? [] : [{ name, uid: Number(uid), gid: Number(gid) }]
  })
}

/** True when this process must and can become another user to run a server. */
export function dropsPrivileges(account: Pick<ServerAccount, 'uid'>): boolean {
  return process.geteuid?.() === 0 && account.uid > 0
}

/** Makes a folder (mode 0700) that belongs to the account, or gives an existing one to it, with all it holds. */
export async function ownFolder(path: string, account: ServerAccount): Promise<void> {
  await mkdir(path, { recursive: true, mode: 0o700 })
  if (dropsPrivileges(account)) await chownAll(path, account)
  await chmod(path, 0o700)
}

async function chownAll(path: string, account: ServerAccount): Promise<void> {
  const { uid, gid } = await stat(path)
  if (uid !== account.uid || gid !== account.gid) await chown(path, account.uid, account.gid)
  for (const entry of await readdir(path, { withFileTypes: true, recursive: true })) {
    // Links are left alone: they lead to tablespaces, which are somebody's decision, not ours.
    if (!entry.isSymbolicLink()) await chown(join(entry.parentPath, entry.name), account.uid, account.gid)
  }
}

/** The first folder on the way to a path that the account may not enter; undefined when it can reach it. */
export async function closedFolder(path: string, account: Pick<ServerAccount, 'uid' | 'gid'>): Promise<string | undefined> {
  const ancestors: string[] = []
  for (let folder = dirname(resolve(path)); ; folder = dirname(folder)) {
    ancestors.unshift(folder)
    if (folder === dirname(folder)) break
  }
  for (const folder of ancestors) {
    const { uid, gid, mode } = await stat(folder)
    const bit = uid === account.uid ? 0o100 : gid === account.gid ? 0o010 : 0o001
    if ((mode & bit) === 0) return folder
  }
  return undefined
}

/** Throws `permission-denied`, naming the folder, when the account cannot get to a path. */
export async function requireReachable(path: string, account: ServerAccount): Promise<void> {
  if (!dropsPrivileges(account)) return
  const closed = await closedFolder(path, account)
  if (closed === undefined) return
  throw new HoldfastError('permission-denied', {
    message: `the user ${account.name}, as whom PostgreSQL must run, cannot enter ${closed} on the way to ${path}`,
    hint: `choose a folder elsewhere, or let it through: \`chmod o+x ${closed}\``,
    details: { folder: closed, account: account.name },
  })
}
