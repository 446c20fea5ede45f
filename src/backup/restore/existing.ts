import { lstatSync, type BigIntStats } from 'node:fs'
import { systemCode } from '../../kernel/index.ts'
import type { BlobIndex } from '../../repository/index.ts'
import { createBreather } from './breather.ts'
import type { TargetDirectories } from './directories.ts'
import { compareContent } from './kept-content.ts'
import type { PlannedFile, RestorePlan } from './plan.ts'

/**
 * What becomes of files that are in the target already, in restic's words.
 *
 * always       as the snapshot says; one whose content is right already is not written
 * if-changed   the same, but size and time of modification being right is taken for the content being right
 * if-newer     only if the snapshot's is younger; others stay as they are
 * never        they stay as they are
 */
export const overwriteModes = ['always', 'if-changed', 'if-newer', 'never'] as const
export type OverwriteMode = (typeof overwriteModes)[number]

/** A file with less that is right is sooner written anew, beside the old one: that is there until the new one is whole. Bytes. */
const worthKeepingBytes = 1024 * 1024

/** A plan without what need not be written. */
export interface SortedPlan {
  readonly plan: RestorePlan
  /** Their content is right: they only get the snapshot's metadata. */
  readonly unchanged: readonly PlannedFile[]
  /** How many entries stay as they are. */
  readonly untouched: number
}

interface Target {
  readonly mode: OverwriteMode
  readonly directories: TargetDirectories
  readonly index: BlobIndex
}

/** Looks at what the target has of the plan's files, links and devices. */
export async function sortOutExisting(
  plan: RestorePlan,
  { mode, directories, index }: Target,
  signal: AbortSignal,
): Promise<SortedPlan> {
  const breathe = createBreather(signal)
  const unchanged: PlannedFile[] = []
  const kept = new Set<PlannedFile>()
  const sorted: RestorePlan = { directories: plan.directories, files: [], hardLinks: [], specials: [], sizeBytes: plan.sizeBytes }
  let untouched = 0
  const stays = (stat: BigIntStats, mtime: bigint) => mode === 'never' || (mode === 'if-newer' && stat.mtimeNs >= mtime)

  async function sortFile(file: PlannedFile): Promise<void> {
    await breathe()
    const { path, node } = file
    const stat = statOf(path, directories)
    if (stat !== undefined && stays(stat, node.mtime)) {
      untouched++
      kept.add(file)
      sorted.sizeBytes -= Number(node.size ?? 0n)
    } else if (stat?.isFile() === true && (await isRight(file, stat))) {
      unchanged.push(file)
      sorted.sizeBytes -= Number(node.size ?? 0n)
    } else {
      sorted.files.push(file)
      sorted.sizeBytes -= file.kept?.bytes ?? 0
    }
  }

  /** Otherwise notes what of it is. */
  async function isRight(file: PlannedFile, stat: BigIntStats): Promise<boolean> {
    const { path, node } = file
    const isOfSize = stat.size === (node.size ?? 0n)
    if (mode === 'if-changed' && isOfSize && stat.mtimeNs === node.mtime) return true
    // It is written to a file of its own then, under this name: other names of the old one keep what they have.
    if (stat.nlink > (node.links ?? 1n)) return false
    // Of what is written as one, nothing can be kept.
    const content = node.content ?? []
    if (!isOfSize && content.length < 2) return false
    try {
      const found = await compareContent(directories.at(path), content, index, breathe)
      if (found.isWhole) return true
      if (found.bytes >= worthKeepingBytes && stat.nlink === 1n && isOurs(stat)) {
        file.kept = found
        file.missing = content.length - found.places.size
      }
      return false
    } catch (error) {
      // What cannot be read is written anew.
      if (systemCode(error) === 'EACCES' || systemCode(error) === 'EPERM') return false
      throw error
    }
  }

  for (const file of plan.files) await sortFile(file)
  for (const link of plan.hardLinks) {
    const stat = statOf(link.path, directories)
    if (stat !== undefined && stays(stat, link.node.mtime)) untouched++
    // What stayed has other content than the snapshot's: this name gets a file of its own.
    else if (kept.has(link.to)) {
      sorted.sizeBytes += Number(link.node.size ?? 0n)
      sorted.files.push({ path: link.path, node: link.node, missing: link.node.content?.length ?? 0 })
    } else sorted.hardLinks.push(link)
  }
  for (const special of plan.specials) {
    const stat = statOf(special.path, directories)
    if (stat !== undefined && stays(stat, special.node.mtime)) untouched++
    else sorted.specials.push(special)
  }
  return { plan: sorted, unchanged, untouched }
}

/** Nobody else may change its mode, which it takes to write to it. */
function isOurs({ uid }: BigIntStats): boolean {
  const own = process.geteuid?.()
  return own === 0 || BigInt(own ?? -1) === uid
}

/** Undefined where nothing is. */
function statOf(path: Buffer, directories: TargetDirectories): BigIntStats | undefined {
  try {
    return lstatSync(directories.at(path), { bigint: true, throwIfNoEntry: false })
  } catch (error) {
    // A folder on the way is not there yet, or no entry of that name can be.
    if (systemCode(error) === 'ENOENT' || systemCode(error) === 'ENAMETOOLONG') return undefined
    throw error
  }
}

/** Whether both names are there, and are names of one file. */
export function isSameFile(path: Buffer, other: Buffer, directories: TargetDirectories): boolean {
  const [a, b] = [statOf(path, directories), statOf(other, directories)]
  return a !== undefined && b !== undefined && a.ino === b.ino && a.dev === b.dev
}
