import { cp, mkdir, rename, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { randomHex, sha256Hex } from '../../kernel/index.ts'
import type { PostgresInstallation } from '../installation.ts'
import { closedFolder, dropsPrivileges, type ServerAccount } from './account.ts'

/** Only root ever copies, and only root can write here, so that nobody can slip other programs in. */
const cacheFolder = '/var/cache/holdfast'

/**
 * The folder of programs that the account can execute. npm's lie where the checkout lies; below /root, say, another user cannot reach them:
 * then they are copied once to /var/cache/holdfast (60 MB), with their libraries and data beside them.
 */
export async function executablePrograms(installation: PostgresInstallation, account: ServerAccount): Promise<string> {
  const { binDir } = installation
  if (!dropsPrivileges(account)) return binDir
  if ((await closedFolder(join(binDir, 'postgres'), account)) === undefined) return binDir
  const source = dirname(binDir)
  const { mtimeMs, size } = await stat(join(binDir, 'postgres'))
  const name = `postgresql-${installation.version}-${sha256Hex(`${source}\0${mtimeMs}\0${size}`).slice(0, 16)}`
  const copy = join(cacheFolder, name)
  const done = await stat(copy).then(
    () => true,
    () => false,
  )
  if (!done) {
    await mkdir(cacheFolder, { recursive: true, mode: 0o755 })
    const temporary = `${copy}-tmp-${randomHex(6)}`
    try {
      await cp(source, temporary, { recursive: true, verbatimSymlinks: true })
      // Another process may have been quicker; its copy is as good.
      await rename(temporary, copy).catch(async (error: unknown) => {
        if (!(await stat(copy).catch(() => undefined))) throw error
      })
    } finally {
      await rm(temporary, { recursive: true, force: true })
    }
  }
  return join(copy, 'bin')
}
