import { lstat, readdir, rm, rmdir, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { HoldfastError, sha256Hex, systemCode } from '../../kernel/index.ts'
import { ownFolder, type ServerAccount } from './account.ts'

/** sockaddr_un.sun_path less its end: 108 on Linux, 104 on macOS. */
const maxSocketPathBytes = process.platform === 'linux' ? 107 : 103
/** `/.s.PGSQL.65535` and PostgreSQL's `.lock` beside it. */
const socketNameBytes = 20

/**
 * The private socket folder of a data directory: short enough for a socket's path, and the same each time, so that a later process finds the
 * server that an earlier one started.
 */
export function privateSocketFolder(dataDir: string): string {
  const name = `holdfast-pg-${sha256Hex(resolve(dataDir)).slice(0, 12)}`
  const preferred = join(tmpdir(), name)
  return preferred.length + socketNameBytes <= maxSocketPathBytes ? preferred : join('/tmp', name)
}

/**
 * Makes it, for the account alone. A folder that a person chose and that is there already may be shared with others, as /tmp and
 * /var/run/postgresql are: it stays as it is, and the account must be able to write to it. Where the private one is in a folder that
 * everybody may write to, somebody may have made it before: throws `permission-denied` unless it is a real folder of the account's or of ours.
 * Throws `usage` when its path is too long for a socket.
 */
export async function makeSocketFolder(path: string, account: ServerAccount, isPrivate: boolean): Promise<void> {
  if (Buffer.byteLength(path) + socketNameBytes > maxSocketPathBytes) {
    throw new HoldfastError('usage', {
      message: `the socket folder ${path} is too long: a socket's path holds ${maxSocketPathBytes} bytes`,
      hint: 'choose a shorter folder, such as one below /tmp',
    })
  }
  const found = await lstat(path).catch((error: unknown) => {
    if (systemCode(error) === 'ENOENT') return undefined
    throw error
  })
  if (found && !isPrivate) {
    await requireWritable(path, account)
    return
  }
  const ours = [account.uid, process.geteuid?.() ?? -1]
  if (found && (!found.isDirectory() || (account.uid >= 0 && !ours.includes(found.uid)))) {
    throw new HoldfastError('permission-denied', {
      message: `${path} belongs to somebody else, so no private socket can be put there`,
      hint: `remove it, or name another socket folder`,
    })
  }
  await ownFolder(path, account)
  if (isPrivate) await removeLeftFolders(dirname(path))
}

/** A server that starts has its socket in its folder long before. */
const surelyLeftMs = 60 * 60_000

/** Servers that ended by themselves, or that a person stopped, left theirs. What is not empty, and what is not ours, stays. */
async function removeLeftFolders(parent: string): Promise<void> {
  const names = await readdir(parent).catch(() => [])
  for (const name of names) {
    if (!/^holdfast-pg-[0-9a-f]{12}$/.test(name)) continue
    const folder = join(parent, name)
    const found = await lstat(folder).catch(() => undefined)
    if (found?.isDirectory() !== true || Date.now() - found.mtimeMs < surelyLeftMs) continue
    await rmdir(folder).catch(() => {})
  }
}

async function requireWritable(path: string, account: ServerAccount): Promise<void> {
  const { uid, gid, mode } = await stat(path)
  const needed = uid === account.uid ? 0o300 : gid === account.gid ? 0o030 : 0o003
  if (account.uid < 0 || (mode & needed) === needed) return
  throw new HoldfastError('permission-denied', {
    message: `the user ${account.name}, as whom PostgreSQL must run, cannot put a socket into ${path}`,
    hint: 'name another socket folder, or let that user write there',
  })
}

/** Removes the private folder of a server that has stopped; one that a person chose is left alone. */
export async function removeSocketFolder(dataDir: string): Promise<void> {
  await rm(privateSocketFolder(dataDir), { recursive: true, force: true })
}
