import { accessSync, constants, readFileSync } from 'node:fs'
import { mkdir, readFile, rmdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { systemCode } from '../../kernel/index.ts'

/** The kernel's freezer, version 1 or 2 of its control groups (cgroups(7); Documentation/admin-guide/cgroup-v1/freezer-subsystem.rst, cgroup-v2.rst). */
export interface Freezer {
  readonly version: 1 | 2
  /** Where its tree is mounted. */
  readonly root: string
}

/** Undefined where there is none that this process may use. */
export function findFreezer(): Freezer | undefined {
  for (const line of tryRead('/proc/self/mounts').split('\n')) {
    const [, root = '', type, options = ''] = line.split(' ')
    const isFirst = type === 'cgroup' && options.split(',').includes('freezer')
    if ((isFirst || type === 'cgroup2') && isWritable(join(root, 'cgroup.procs'))) return { version: isFirst ? 1 : 2, root }
  }
  return undefined
}

/** The group that a process is in, as a path below the freezer's root: `/`, `/system.slice/nginx.service`. */
export function groupOf(pid: number, { version }: Freezer): string {
  for (const line of tryRead(`/proc/${pid}/cgroup`).split('\n')) {
    const [, controllers = '', ...path] = line.split(':')
    if (version === 2 ? controllers === '' : controllers.split(',').includes('freezer')) return path.join(':')
  }
  return '/'
}

/** How often it is ordered to stop or emptied, and how often it is looked at after each order, 2 ms apart. */
const mostTries = 100
const looksPerOrder = 10

/**
 * Moves processes into a new group below the one that they are in, and stops that group. Returns once they have stopped, or when as many orders
 * as are sensible have not stopped them: a look at the fault then says so.
 *
 * In version 1, an order that falls between a process and the child that it is just making leaves the group FREEZING for ever: the parent waits
 * for the child (vfork), and the child was born too late to be told. The next order tells it too.
 */
export async function freeze(
  freezer: Freezer,
  origin: string,
  name: string,
  pids: readonly number[],
  signal: AbortSignal,
): Promise<void> {
  const group = join(freezer.root, origin, name)
  await mkdir(group)
  for (const pid of pids) await moveTo(group, pid)
  for (let orders = 0; orders < mostTries; orders++) {
    await order(freezer, group, true)
    for (let looks = 0; looks < looksPerOrder; looks++) {
      if (await isFrozen(freezer, origin, name)) return
      signal.throwIfAborted()
      await new Promise((resolve) => setTimeout(resolve, 2))
    }
  }
}

/** Lets it go on, moves what is in it back, and removes it. All that is in it came by us, or was started by what did. */
export async function thaw(freezer: Freezer, origin: string, name: string): Promise<void> {
  const group = join(freezer.root, origin, name)
  try {
    await order(freezer, group, false)
    for (let tries = 1; ; tries++) {
      for (const pid of await membersOf(group)) await moveTo(join(freezer.root, origin), pid)
      try {
        return await rmdir(group)
      } catch (error) {
        // One more was made in it since it was looked at.
        if (systemCode(error) !== 'EBUSY' || tries === mostTries) throw error
        await new Promise((resolve) => setTimeout(resolve, 2))
      }
    }
  } catch (error) {
    // Another has done it meanwhile.
    if (systemCode(error) !== 'ENOENT' && systemCode(error) !== 'ENODEV') throw error
  }
}

/** Undefined when there is no such group. */
export async function isFrozen(freezer: Freezer, origin: string, name: string): Promise<boolean | undefined> {
  const group = join(freezer.root, origin, name)
  const file = freezer.version === 1 ? 'freezer.state' : 'cgroup.events'
  try {
    const text = await readFile(join(group, file), 'utf8')
    return freezer.version === 1 ? text.trim() === 'FROZEN' : /^frozen 1$/m.test(text)
  } catch (error) {
    if (systemCode(error) === 'ENOENT' || systemCode(error) === 'ENODEV') return undefined
    throw error
  }
}

export async function members(freezer: Freezer, origin: string, name: string): Promise<number[]> {
  return await membersOf(join(freezer.root, origin, name))
}

async function membersOf(group: string): Promise<number[]> {
  return (await readFile(join(group, 'cgroup.procs'), 'utf8')).split('\n').filter(Boolean).map(Number)
}

async function order({ version }: Freezer, group: string, frozen: boolean): Promise<void> {
  if (version === 1) await writeFile(join(group, 'freezer.state'), frozen ? 'FROZEN' : 'THAWED')
  else await writeFile(join(group, 'cgroup.freeze'), frozen ? '1' : '0')
}

/** A process that has ended meanwhile needs no move. */
async function moveTo(group: string, pid: number): Promise<void> {
  try {
    await writeFile(join(group, 'cgroup.procs'), String(pid))
  } catch (error) {
    if (systemCode(error) !== 'ESRCH') throw error
  }
}

function isWritable(path: string): boolean {
  try {
    accessSync(path, constants.W_OK)
    return true
  } catch {
    return false
  }
}

function tryRead(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}
