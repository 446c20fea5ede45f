import { cp, mkdir, rename, rm, stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { randomHex, sha256Hex } from '../../kernel/index.ts'
import { closedFolder, dropsPrivileges, type ServerAccount } from './account.ts'

/** Only root ever copies, and only root can write here, so that nobody can slip other programs in. */
const cacheFolder = '/var/cache/holdfast'

/**
 * A program, or a folder of them, where the account can execute it: as it is, or copied once to /var/cache/holdfast. What npm installs lies
 * where the checkout lies; below /root, say, the user that PostgreSQL runs as cannot reach it. `witness` is a file whose change makes
 * another copy.
 */
export async function reachableByAccount(
  path: string,
  account: Pick<ServerAccount, 'uid' | 'gid'>,
  { name = basename(path), witness = path }: { readonly name?: string; readonly witness?: string } = {},
): Promise<string> {
  if (!dropsPrivileges(account) || (await closedFolder(witness, account)) === undefined) return path
  const { mtimeMs, size } = await stat(witness)
  const copy = join(cacheFolder, `${sha256Hex(`${path}\0${mtimeMs}\0${size}`).slice(0, 16)}-${name}`)
  const exists = async () =>
    await stat(copy).then(
      () => true,
      () => false,
    )
  if (await exists()) return copy
  await mkdir(cacheFolder, { recursive: true, mode: 0o755 })
  const temporary = join(cacheFolder, `.tmp-${randomHex(6)}-${name}`)
  try {
    await cp(path, temporary, { recursive: true, verbatimSymlinks: true })
    await rename(temporary, copy).catch(async (error: unknown) => {
      // Another process may have been quicker; its copy is as good.
      if (!(await exists())) throw error
    })
  } finally {
    await rm(temporary, { recursive: true, force: true })
  }
  return copy
}
