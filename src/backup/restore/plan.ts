import { HoldfastError } from '../../kernel/index.ts'
import { isSafeNodeName, type Repository, type TreeNode } from '../../repository/index.ts'
import type { KeptContent } from './kept-content.ts'
import { unsafeName } from '../unsafe-name.ts'
import type { ChooseEntry } from './choose-entries.ts'

/** A regular file to restore, at a path under the target. */
export interface PlannedFile {
  readonly path: Buffer
  readonly node: TreeNode
  /** Blobs still to be written. */
  missing: number
  /** What the target has of it already, when that is worth keeping. */
  kept?: KeptContent
}

/** Everything to restore, in the order of the trees. */
export interface RestorePlan {
  /** Parents before their children. Without a node it is only on the way to what was asked for. */
  readonly directories: { readonly path: Buffer; readonly node: TreeNode | undefined }[]
  readonly files: PlannedFile[]
  /** Further names of a file. */
  readonly hardLinks: { readonly path: Buffer; readonly node: TreeNode; readonly to: PlannedFile }[]
  /** Symbolic links, FIFOs and devices. */
  readonly specials: { readonly path: Buffer; readonly node: TreeNode }[]
  sizeBytes: number
}

export interface PlanRequest {
  readonly repository: Repository
  /** The tree that becomes the target itself. */
  readonly tree: string
  readonly target: Buffer
  /** What of it is restored, besides the folders that lead there. */
  readonly choose: ChooseEntry
}

/**
 * Reads the trees. Throws `target-unsafe` for a name that could lead out of its directory, or that stands twice in one: no writer makes
 * such trees.
 */
export async function planRestore({ repository, tree, target, choose }: PlanRequest, signal: AbortSignal): Promise<RestorePlan> {
  const plan: RestorePlan = { directories: [], files: [], hardLinks: [], specials: [], sizeBytes: 0 }
  const linked = new Map<string, PlannedFile>()

  async function walk(tree: string, inTree: Buffer, isInWhole: boolean): Promise<void> {
    const names = new Set<string>()
    for (const node of await repository.openTree(tree, signal)) {
      checkName(node.name, names, inTree)
      const here = Buffer.concat([inTree, slash, node.name])
      const choice = choose(here, isInWhole)
      if (choice === 'not') continue
      const path = Buffer.concat([target, here])
      if (node.type !== 'dir') {
        if (choice === 'whole') add(path, node)
        continue
      }
      const before = entriesOf(plan)
      plan.directories.push({ path, node: choice === 'whole' ? node : undefined })
      if (node.subtree === undefined) throw treeless(here)
      await walk(node.subtree, here, choice === 'whole')
      // It leads to nothing that is wanted.
      if (choice === 'below' && entriesOf(plan) === before + 1) plan.directories.pop()
    }
  }

  function add(path: Buffer, node: TreeNode): void {
    if (node.type !== 'file') {
      plan.specials.push({ path, node })
      return
    }
    // Without an inode nothing says which of the files with several names it is another name of.
    const several = (node.links ?? 0n) > 1n && node.inode !== undefined
    const identity = several ? `${node.deviceId ?? ''}:${node.inode}` : undefined
    const to = identity === undefined ? undefined : linked.get(identity)
    if (to !== undefined) {
      plan.hardLinks.push({ path, node, to })
      return
    }
    const file: PlannedFile = { path, node, missing: node.content?.length ?? 0 }
    if (identity !== undefined) linked.set(identity, file)
    plan.files.push(file)
    plan.sizeBytes += Number(node.size ?? 0n)
  }

  await walk(tree, Buffer.alloc(0), false)
  return plan
}

function treeless(path: Buffer): HoldfastError {
  return new HoldfastError('object-damaged', {
    message: `the folder ${path.toString()} of the snapshot names no tree: what was in it is not known`,
    hint: 'run `holdfast check` to see what else is damaged; restore the rest with --include',
    details: { path: path.toString() },
  })
}

const slash = Buffer.from('/')

function entriesOf({ directories, files, hardLinks, specials }: RestorePlan): number {
  return directories.length + files.length + hardLinks.length + specials.length
}

function checkName(name: Uint8Array, seen: Set<string>, directory: Buffer): void {
  const bytes = Buffer.from(name)
  const key = bytes.toString('latin1')
  const safe = isSafeNodeName(name)
  if (safe && !seen.has(key)) {
    seen.add(key)
    return
  }
  throw unsafeName(bytes, directory, safe ? 'twice' : 'leads-out')
}
