import { link, lstat, readFile, rename, stat, unlink, writeFile, chmod, chown } from 'node:fs/promises'
import { dirname } from 'node:path'
import { systemCode, type Finding } from '../../kernel/index.ts'

/**
 * A file as resolv.conf(5) that names our resolver. The original is kept beside it under a second name, and is put back by a rename: the very same file,
 * at once, without any room on the disk.
 */

const backupOf = (file: string, id: string) => `${file}.holdfast-${id}`
const draftOf = (file: string, id: string) => `${backupOf(file, id)}.new`
const firstLine = (id: string) => `# holdfast ${id}: until its end, a fault of an experiment answers here`

/** Why it cannot be replaced so. */
export async function resolvConfFindings(file: string): Promise<Finding[]> {
  const found = await lstat(file).catch(missing)
  const blocker = (message: string, hint?: string): Finding[] => [
    { severity: 'blocker', code: 'no-resolv-conf', message, ...(hint === undefined ? {} : { hint }) },
  ]
  if (found === undefined) return blocker(`there is no file ${file}`)
  if (found.isSymbolicLink()) return blocker(`${file} is a link`, 'name the file that it leads to, if nothing else writes it')
  if (!found.isFile()) return blocker(`${file} is no file`)
  if ((await stat(dirname(file))).dev !== found.dev)
    return blocker(`${file} is a mount of its own, as in a container: it cannot be replaced`)
  return []
}

/** The addresses after `nameserver`, in their order. */
export async function nameserversOf(file: string): Promise<string[]> {
  const text = await readFile(file, 'utf8').catch(missing)
  return [...(text ?? '').matchAll(/^[ \t]*nameserver[ \t]+(\S+)/gm)].map(([, address = '']) => address)
}

/** Everything else in it stays. */
export async function pointAt(file: string, address: string, id: string): Promise<void> {
  const { mode, uid, gid } = await stat(file)
  const others = (await readFile(file, 'utf8')).split('\n').filter((line) => !/^[ \t]*nameserver\b/.test(line))
  const draft = draftOf(file, id)
  await writeFile(draft, [firstLine(id), `nameserver ${address}`, ...others].join('\n'), { flag: 'wx', mode: 0o600 })
  await chmod(draft, mode & 0o7777)
  await chown(draft, uid, gid)
  await link(file, backupOf(file, id))
  await rename(draft, file)
}

/** What another has written there since is not ours. */
export async function isPointed(file: string, id: string): Promise<boolean> {
  return ((await readFile(file, 'utf8').catch(missing)) ?? '').startsWith(firstLine(id))
}

export async function leftBeside(file: string, id: string): Promise<boolean> {
  const found = await Promise.all([backupOf(file, id), draftOf(file, id)].map((path) => lstat(path).catch(missing)))
  return found.some((one) => one !== undefined)
}

/** Whoever else does the same at the same time is no matter. */
export async function pointBack(file: string, id: string): Promise<void> {
  await unlink(draftOf(file, id)).catch(missing)
  if (await isPointed(file, id)) await rename(backupOf(file, id), file).catch(missing)
  else await unlink(backupOf(file, id)).catch(missing)
}

export function pointBackByHand(file: string, id: string): string {
  return `grep -q 'holdfast ${id}' ${file} && mv ${backupOf(file, id)} ${file}; rm -f ${backupOf(file, id)} ${draftOf(file, id)}`
}

function missing(error: unknown): undefined {
  if (systemCode(error) !== 'ENOENT') throw error
}
