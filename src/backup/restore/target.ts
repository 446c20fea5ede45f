import { hostname } from 'node:os'
import { lstat, mkdir, readdir, realpath, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { HoldfastError, isPathWithin, systemCode } from '../../kernel/index.ts'
import type { Snapshot } from '../../repository/index.ts'

/** A directory that is ready to be restored into. */
export interface PreparedTarget {
  /** Absolute, without symbolic links. */
  readonly path: string
  /** Makes the target what it was before: gone or empty. Does nothing to one that had something in it. */
  undo(): Promise<void>
}

export interface TargetRequest {
  readonly target: string
  readonly snapshot: Snapshot
  /** The path in the snapshot that becomes the target. */
  readonly subtree: string
  /** Restore into a directory that has something in it, replacing entries of the same name. */
  readonly overwrite: boolean
}

/** Throws `target-not-empty`, `target-unsafe` when something else than a directory stands there, `target-is-source`. */
export async function prepareTarget({ target, snapshot, subtree, overwrite }: TargetRequest): Promise<PreparedTarget> {
  const firstMissing = await firstMissingOf(target)
  const made = await mkdir(target, { recursive: true, mode: 0o700 }).catch((error: unknown) => {
    if (systemCode(error) !== 'EEXIST' && systemCode(error) !== 'ENOTDIR') throw error
    throw new HoldfastError('target-unsafe', {
      message: `${target} is not a directory`,
      hint: 'restore into a new directory',
      cause: error,
      details: { target },
    })
  })
  const path = await realpath(target)
  const occupied = (await readdir(path)).length > 0
  if (occupied && isSource(path, subtree, snapshot))
    throw new HoldfastError('target-is-source', {
      message: `refused to restore over the source itself: ${path} is where this snapshot was taken`,
      hint: 'restore into a new directory, compare, and move what you need',
      details: { target: path },
    })
  if (occupied && !overwrite)
    throw new HoldfastError('target-not-empty', {
      message: `${path} is not empty`,
      hint: 'restore into a new directory, or give --overwrite to replace entries of the same name',
      details: { target: path },
    })
  return {
    path,
    async undo() {
      if (occupied) return
      if (made !== undefined && firstMissing !== undefined) await rm(firstMissing, { recursive: true, force: true })
      else
        for (const name of await readdir(path, { encoding: 'buffer' }))
          await rm(entryPath(path, name), { recursive: true, force: true })
    },
  }
}

function entryPath(directory: string, name: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`${directory}/`), name])
}

/** The outermost directory that has to be made. */
async function firstMissingOf(path: string): Promise<string | undefined> {
  let missing: string | undefined
  for (let at = path; ; at = dirname(at)) {
    const there = await lstat(at).catch(() => undefined)
    if (there !== undefined) return missing
    missing = at
    if (dirname(at) === at) return missing
  }
}

/** Whether a path of the snapshot would be restored to where it came from, on the machine it came from. */
function isSource(target: string, subtree: string, snapshot: Snapshot): boolean {
  if (snapshot.hostname !== hostname()) return false
  const root = join('/', subtree)
  return target === root && snapshot.paths.some((path) => isPathWithin(path, root) || isPathWithin(root, path))
}
