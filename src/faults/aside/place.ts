import { access, constants, link, lstat, readFile, rename, rm, unlink } from 'node:fs/promises'
import { dirname } from 'node:path'
import { z } from 'zod'
import { blocker, HoldfastError, quote, sha256Hex, syncDirectory, systemCode, type Finding } from '../../kernel/index.ts'
import { absent, partly, present, type Fault, type Sight } from '../contract.ts'
import { writeLike } from './draft.ts'

/**
 * A file that is moved aside under a name with our tag, in its own folder, so that it keeps its inode: content, mode, owner and all else of it
 * are untouched. With `instead`, another one stands in its place.
 */
export const asideTrace = z.strictObject({
  file: z.string(),
  inode: z.string(),
  /** SHA-256 of what stands in its place, by which that is known for ours. */
  instead: z.string().optional(),
})

export type AsideTrace = z.infer<typeof asideTrace>

/** Throws `fault-refused` when there is no such file, or it is a folder or a device. */
export async function traceFile(file: string, instead?: Uint8Array): Promise<AsideTrace> {
  const found = await tryLstat(file)
  if (found === undefined || !(found.isFile() || found.isSymbolicLink()))
    throw new HoldfastError('fault-refused', { message: found === undefined ? `there is no ${file}` : `${file} is no file` })
  return { file, inode: inodeOf(found), ...(instead === undefined ? {} : { instead: sha256Hex(instead) }) }
}

export async function asideFindings(file: string): Promise<Finding[]> {
  try {
    await traceFile(file)
    await access(dirname(file), constants.W_OK)
    return []
  } catch (error) {
    const message = error instanceof HoldfastError ? error.message : `nothing may be moved in ${dirname(file)}`
    return [blocker('cannot-move', message)]
  }
}

/** Throws `fault-refused` when the file, or what is to take its place, is not what was planned any more; then nothing was moved. */
export async function moveAside(trace: AsideTrace, id: string, instead?: Uint8Array): Promise<void> {
  const { file, inode } = trace
  const { aside, draft } = namesOf(file, id)
  if (instead !== undefined && sha256Hex(instead) !== trace.instead)
    throw new HoldfastError('fault-refused', { message: `what is to stand at ${file} has been changed since it was looked at` })
  if (instead !== undefined) await writeLike(file, draft, instead)
  const found = await tryLstat(file)
  if (found === undefined || inodeOf(found) !== inode)
    throw new HoldfastError('fault-refused', { message: `${file} has been replaced since it was looked at` })
  await rename(file, aside)
  if (instead !== undefined) {
    // Fails where somebody has put a file there in this moment.
    await link(draft, file)
    await unlink(draft)
  }
  await syncDirectory(dirname(file))
}

async function lookAside(trace: AsideTrace, id: string): Promise<Sight> {
  const { aside, draft } = namesOf(trace.file, id)
  if ((await tryLstat(aside)) === undefined)
    return (await tryLstat(draft)) === undefined && !(await isOurs(trace)) ? absent : partly('what stands in its place is left')
  const there = await whoseIs(trace, aside)
  if (there === (trace.instead === undefined ? 'nobody' : 'ours')) return present
  return partly(there === 'nobody' ? `${trace.file} is not there` : `somebody has put another file at ${trace.file}`)
}

/** Throws `fault-failed` where somebody else's file stands there by now: which of the two is right, only people know. */
async function putBack(trace: AsideTrace, id: string): Promise<void> {
  const { file } = trace
  const { aside, draft } = namesOf(file, id)
  await rm(draft, { force: true })
  if ((await tryLstat(aside)) === undefined) return
  const there = await whoseIs(trace, aside)
  if (there === 'somebody') {
    throw new HoldfastError('fault-failed', {
      message: `somebody has put another file at ${file}; what was there before is ${aside}`,
      hint: `keep the right one: \`rm ${quote(aside)}\`, or \`mv ${quote(aside)} ${quote(file)}\``,
    })
  }
  try {
    if (there === 'ours') await rename(aside, file)
    else if (there === 'nobody') await linkBack(aside, file)
    await rm(aside, { force: true })
  } catch (error) {
    // Another undo was quicker.
    if ((await tryLstat(aside)) !== undefined) throw error
  }
  await syncDirectory(dirname(file))
}

function namesOf(file: string, id: string): { aside: string; draft: string } {
  return { aside: `${file}.holdfast-${id}`, draft: `${file}.holdfast-${id}-instead` }
}

async function whoseIs(trace: AsideTrace, aside: string): Promise<'nobody' | 'the same' | 'ours' | 'somebody'> {
  const there = await tryLstat(trace.file)
  if (there === undefined) return 'nobody'
  const kept = await tryLstat(aside)
  if (kept !== undefined && inodeOf(kept) === inodeOf(there)) return 'the same'
  return (await isOurs(trace)) ? 'ours' : 'somebody'
}

async function isOurs({ file, instead }: AsideTrace): Promise<boolean> {
  if (instead === undefined || (await tryLstat(file))?.isFile() !== true) return false
  return sha256Hex(await readFile(file)) === instead
}

/** Not over a file that came in this moment, where the file system and the rights allow a second name. */
async function linkBack(aside: string, file: string): Promise<void> {
  try {
    await link(aside, file)
  } catch (error) {
    if (!['EPERM', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK'].includes(systemCode(error) ?? '')) throw error
    await rename(aside, file)
  }
}

async function tryLstat(path: string) {
  try {
    return await lstat(path, { bigint: true })
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined
    throw error
  }
}

function inodeOf({ dev, ino }: { readonly dev: bigint; readonly ino: bigint }): string {
  return `${dev}:${ino}`
}

/** The undo of a fault that has moved one file aside, and how it is seen. */
export const asideFault: Pick<Fault<unknown, AsideTrace>, 'look' | 'undo' | 'manualUndo'> = {
  look: (trace, { id }) => lookAside(trace, id),
  undo: (trace, { id }) => putBack(trace, id),
  manualUndo: ({ file }, id) => [`mv ${quote(namesOf(file, id).aside)} ${quote(file)}`],
}
