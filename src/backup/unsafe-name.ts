import { HoldfastError } from '../kernel/index.ts'
import { isSafeNodeName } from '../repository/index.ts'
import type { ListedNode } from './list-tree.ts'

/** What of a name makes that nothing is made under it. */
export function unsafeName(name: Buffer, directory: Buffer, why: 'twice' | 'leads-out'): HoldfastError {
  const shown = JSON.stringify(name.toString().slice(0, 300))
  return new HoldfastError('target-unsafe', {
    message:
      why === 'twice'
        ? `refused: the directory '${directory.toString()}/' of the snapshot has two entries named ${shown}`
        : `refused: the directory '${directory.toString()}/' of the snapshot has an entry named ${shown}, which leads out of it`,
    hint: 'no backup program writes such a tree: find out who wrote this snapshot',
    details: { directory: directory.toString(), name: name.toString() },
  })
}

/** For archives: whoever unpacks one must not be led out of where they do. */
export function refuseUnsafe({ path, node: { name } }: ListedNode): void {
  if (!isSafeNodeName(name)) throw unsafeName(name, path.subarray(0, path.length - name.length - 1), 'leads-out')
}
