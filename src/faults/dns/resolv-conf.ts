import { link, lstat, readFile, rename, rm, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { blocker, HoldfastError, quote, syncDirectory, systemCode, type Finding } from '../../kernel/index.ts'
import { writeLike } from '../aside/draft.ts'

/**
 * A file as resolv.conf(5) that names our resolver. The original is kept beside it under a second name, and is put back by a rename: the very same file,
 * at once, without any room on the disk.
 */

const backupOf = (file: string, id: string) => `${file}.holdfast-${id}`
const draftOf = (file: string, id: string) => `${backupOf(file, id)}.new`
const firstLine = (id: string) => `# holdfast ${id}: until its end, a fault of an experiment answers here`
const anyFirstLine = /^# holdfast ([0-9a-f]{16}): /

/** Why it cannot be replaced so. */
export async function resolvConfFindings(file: string): Promise<Finding[]> {
  const found = await lstat(file).catch(missing)
  const refuse = (message: string, hint?: string) => [blocker('no-resolv-conf', message, hint)]
  if (found === undefined) return refuse(`there is no file ${file}`)
  if (found.isSymbolicLink()) return refuse(`${file} is a link`, 'name the file that it leads to, if nothing else writes it')
  if (!found.isFile()) return refuse(`${file} is no file`)
  if ((await stat(dirname(file))).dev !== found.dev)
    return refuse(`${file} is a mount of its own, as in a container: it cannot be replaced`)
  const other = pointedBy(await readFile(file, 'utf8'))
  if (other === undefined) return []
  return refuse(
    `${file} is pointed at a resolver by another fault already: ${other}`,
    '`holdfast chaos sweep` takes back what is left of experiments that were killed',
  )
}

/** The addresses after `nameserver`, in their order. */
export async function nameserversOf(file: string): Promise<string[]> {
  const text = await readFile(file, 'utf8').catch(missing)
  return [...(text ?? '').matchAll(/^[ \t]*nameserver[ \t]+(\S+)/gm)].map(([, address = '']) => address)
}

/**
 * Everything else in it stays. Throws `fault-refused` where another fault points it already: of two of them, the one that ends last would put back what
 * the other had written.
 */
export async function pointAt(file: string, address: string, id: string): Promise<void> {
  const text = await readFile(file, 'utf8')
  const other = pointedBy(text)
  if (other !== undefined)
    throw new HoldfastError('fault-refused', { message: `another fault has pointed ${file} at its resolver meanwhile: ${other}` })
  const others = text.split('\n').filter((line) => !/^[ \t]*nameserver\b/.test(line))
  const draft = draftOf(file, id)
  await writeLike(file, draft, [firstLine(id), `nameserver ${address}`, ...others].join('\n'))
  await link(file, backupOf(file, id))
  await rename(draft, file)
  await syncDirectory(dirname(file))
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
  await rm(draftOf(file, id), { force: true })
  if (await isPointed(file, id)) await rename(backupOf(file, id), file).catch(missing)
  else await rm(backupOf(file, id), { force: true })
  await syncDirectory(dirname(file)).catch(missing)
}

export function pointBackByHand(file: string, id: string): string {
  const [there, backup, draft] = [file, backupOf(file, id), draftOf(file, id)].map(quote)
  return `grep -q 'holdfast ${id}' ${there} && mv ${backup} ${there}; rm -f ${backup} ${draft}`
}

/** The number of the fault whose resolver a file names; undefined for none. */
function pointedBy(text: string): string | undefined {
  return anyFirstLine.exec(text)?.[1]
}

function missing(error: unknown): undefined {
  if (systemCode(error) !== 'ENOENT') throw error
}
