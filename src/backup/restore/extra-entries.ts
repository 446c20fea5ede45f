import { readdirSync, rmSync } from 'node:fs'
import { systemCode } from '../../kernel/index.ts'
import type { ChooseEntry } from './choose-entries.ts'
import type { TargetDirectories } from './directories.ts'
import type { RestorePlan } from './plan.ts'

export interface ExtraSearch {
  readonly plan: RestorePlan
  readonly target: Buffer
  /** The target itself stands for a folder that is restored whole. */
  readonly rootIsWhole: boolean
  readonly choose: ChooseEntry
  readonly directories: TargetDirectories
}

/**
 * What folders of the target have and the snapshot's have not: only of those that are restored whole, and nothing that the patterns leave
 * out. Paths under the target; all that is in a folder goes with it.
 */
export function findExtra({ plan, target, rootIsWhole, choose, directories }: ExtraSearch): Buffer[] {
  const expected = new Set<string>()
  for (const list of [plan.directories, plan.files, plan.hardLinks, plan.specials])
    for (const { path } of list) expected.add(path.toString('latin1'))
  const whole = plan.directories.flatMap(({ path, node }) => (node === undefined ? [] : [path]))
  const extra: Buffer[] = []
  for (const folder of rootIsWhole ? [target, ...whole] : whole) {
    for (const name of namesIn(folder, directories)) {
      const path = Buffer.concat([folder, slash, name])
      if (!expected.has(path.toString('latin1')) && choose(path.subarray(target.length), true) === 'whole') extra.push(path)
    }
  }
  return extra
}

/** Never through a symbolic link. */
export function removeExtra(paths: readonly Buffer[], directories: TargetDirectories): void {
  for (const path of paths) rmSync(directories.at(path), { recursive: true, force: true })
}

const slash = Buffer.from('/')

function namesIn(folder: Buffer, directories: TargetDirectories): Buffer[] {
  try {
    return readdirSync(directories.at(Buffer.concat([folder, Buffer.from('/.')])), { encoding: 'buffer' })
  } catch (error) {
    // It is to be made yet.
    if (systemCode(error) === 'ENOENT') return []
    throw error
  }
}
