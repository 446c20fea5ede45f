import { readdir, readlink, rename, symlink } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { randomHex, systemCode } from '../../kernel/index.ts'

/**
 * The tablespaces of a data directory: where its pg_tblspc links lead, absolute. Links of a restored backup are relative, so that they are
 * right wherever it is restored; with `makeAbsolute` they are replaced, because PostgreSQL itself, making a base backup of such a server,
 * would look for them from the wrong folder and leave them out.
 */
export async function tablespaceFolders(dataDir: string, { makeAbsolute = false } = {}): Promise<string[]> {
  const folder = join(dataDir, 'pg_tblspc')
  const targets: string[] = []
  for (const name of await readdir(folder).catch(nothingThere)) {
    const link = join(folder, name)
    const target = await readlink(link).catch(() => undefined)
    if (target === undefined) continue
    const absolute = resolve(folder, target)
    targets.push(absolute)
    if (!makeAbsolute || target === absolute) continue
    await replaceLink(link, absolute)
  }
  return targets
}

/** Points every link of a restored data directory to the folder of its number in `folder`. */
export async function linkTablespaces(dataDir: string, folder: string): Promise<void> {
  const links = join(dataDir, 'pg_tblspc')
  for (const oid of await readdir(links).catch(nothingThere)) await replaceLink(join(links, oid), join(resolve(folder), oid))
}

async function replaceLink(link: string, target: string): Promise<void> {
  const temporary = `${link}-tmp-${randomHex(4)}`
  await symlink(target, temporary)
  await rename(temporary, link)
}

function nothingThere(error: unknown): string[] {
  if (systemCode(error) === 'ENOENT') return []
  throw error
}
