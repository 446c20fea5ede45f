import { link, mkdir, readdir, readFile, unlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import {
  HoldfastError,
  isHoldfastError,
  ownIdentity,
  processState,
  randomHex,
  syncDirectory,
  systemCode,
  writeFileDurably,
  type ProcessIdentity,
  type ProcessState,
} from '../kernel/index.ts'

/** Who has, or last had, a lock. */
export interface LockOwner extends ProcessIdentity {
  /** What the owner does with it, for messages and for those who decide whether it may be taken over. */
  readonly purpose: string
  /** On whose behalf the process holds it, when that outlives the process. */
  readonly holder?: string
  readonly released?: true
  /** Given up by a process that lives on, but not by its holder: as if the process had died. */
  readonly abandoned?: true
}

export interface OwnerLock extends AsyncDisposable {
  /** Larger than that of every earlier holder, across crashes and reboots: a fencing token. */
  readonly token: number
  /** Leaves the lock as a crash would, for the holder to be taken up again by any process. */
  abandon(): Promise<void>
}

export interface LockOptions {
  readonly purpose: string
  readonly holder?: string
  /** Asked when the last owner is dead but did not release: false leaves the lock to it, as a live owner would. */
  readonly mayTakeOver?: (owner: LockOwner) => Promise<boolean>
}

/**
 * Takes the lock that is the directory `directory`, or throws `run-busy` naming the owner.
 *
 * Each holder is a file named by its token, never overwritten by another: of several that find the last owner dead, exactly one creates
 * the next name. Files of earlier holders are deleted only after that, and whoever then recreates one of their names sees the higher one
 * and withdraws. The last file stays when the lock is released, so that tokens never go back.
 */
export async function acquireOwnerLock(directory: string, { purpose, holder, mayTakeOver }: LockOptions): Promise<OwnerLock> {
  await mkdir(directory, { recursive: true, mode: 0o700 })
  const last = await lastOwner(directory)
  if (last !== undefined) {
    const state = await ownerState(last.owner)
    if (state === 'alive' || state === 'elsewhere') throw busy(directory, last.owner, state)
    if (state === 'gone' && mayTakeOver !== undefined && !(await mayTakeOver(last.owner)))
      throw busy(directory, last.owner, state)
  }
  const token = (last?.token ?? 0) + 1
  const owner: LockOwner = { ...(await ownIdentity()), purpose, ...(holder === undefined ? {} : { holder }) }
  if (!(await createOnce(directory, token, owner))) return retryAsBusy(directory)
  const tokens = await readTokens(directory)
  if (Math.max(...tokens) > token) {
    await unlink(join(directory, String(token)))
    return retryAsBusy(directory)
  }
  for (const earlier of tokens) if (earlier < token) await unlink(join(directory, String(earlier))).catch(ignoreMissing)
  await syncDirectory(directory)
  const mark = (state: object) => writeFileDurably(join(directory, String(token)), JSON.stringify({ ...owner, ...state }))
  return { token, abandon: () => mark({ abandoned: true }), [Symbol.asyncDispose]: () => mark({ released: true }) }
}

/** Who holds a lock now and whether it lives; undefined when nobody does. */
export async function lockHolder(directory: string): Promise<{ owner: LockOwner; state: ProcessState } | undefined> {
  const last = await lastOwner(directory)
  if (last === undefined) return undefined
  const state = await ownerState(last.owner)
  return state === 'released' ? undefined : { owner: last.owner, state }
}

async function ownerState(owner: LockOwner): Promise<ProcessState | 'released'> {
  if (owner.released === true) return 'released'
  return owner.abandoned === true ? 'gone' : processState(owner)
}

async function lastOwner(directory: string): Promise<{ token: number; owner: LockOwner } | undefined> {
  for (let attempt = 0; attempt < 100; attempt++) {
    const tokens = await readTokens(directory)
    if (tokens.length === 0) return undefined
    const token = Math.max(...tokens)
    const text = await readFile(join(directory, String(token)), 'utf8').catch(ignoreMissing)
    // Absent: its holder was superseded between the two reads.
    if (text !== undefined) return { token, owner: parseOwner(text, join(directory, String(token))) }
  }
  throw new HoldfastError('run-busy', { message: `the lock ${directory} changes hands faster than it can be read` })
}

async function readTokens(directory: string): Promise<number[]> {
  const names = await readdir(directory).catch(ignoreMissing)
  return (names ?? []).filter((name) => /^\d+$/.test(name)).map(Number)
}

/** False when the name exists. The content is there from the first moment: the file is written aside and linked to its name. */
async function createOnce(directory: string, token: number, owner: LockOwner): Promise<boolean> {
  const aside = join(directory, `new-${randomHex(6)}`)
  await writeFile(aside, JSON.stringify(owner), { flag: 'wx', mode: 0o600, flush: true })
  try {
    await link(aside, join(directory, String(token)))
    return true
  } catch (error) {
    if (systemCode(error) === 'EEXIST') return false
    throw error
  } finally {
    await unlink(aside)
  }
}

async function retryAsBusy(directory: string): Promise<never> {
  const holder = await lockHolder(directory)
  if (holder !== undefined) throw busy(directory, holder.owner, holder.state)
  throw new HoldfastError('run-busy', {
    message: `another process took the lock ${directory} at the same moment`,
    retryable: true,
  })
}

function busy(directory: string, owner: LockOwner, state: ProcessState): HoldfastError {
  const where = {
    alive: 'which is running',
    gone: 'which was interrupted',
    elsewhere: `on ${owner.host}, which cannot be seen from here`,
  }[state]
  return new HoldfastError('run-busy', {
    message: `${owner.purpose} is held by process ${owner.pid}, ${where}`,
    hint:
      state === 'gone'
        ? 'resume or abort the run that was interrupted: `holdfast run list` shows it'
        : state === 'alive'
          ? 'wait for it, or watch it with `holdfast run watch`'
          : `make sure that it has ended there, then delete ${directory}`,
    details: { pid: owner.pid, host: owner.host, purpose: owner.purpose, state, lock: directory },
  })
}

function parseOwner(text: string, path: string): LockOwner {
  try {
    const owner = JSON.parse(text) as LockOwner
    if (typeof owner.pid === 'number' && typeof owner.started === 'string' && typeof owner.host === 'string') return owner
  } catch (error) {
    if (isHoldfastError(error)) throw error
  }
  throw new HoldfastError('journal-damaged', {
    message: `the lock file ${path} cannot be read`,
    hint: 'make sure that no run is in progress, then delete it',
    details: { file: path },
  })
}

function ignoreMissing(error: unknown): undefined {
  if (systemCode(error) !== 'ENOENT') throw error
}
