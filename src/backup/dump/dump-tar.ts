import { listTree } from '../list-tree.ts'
import { refuseUnsafe } from '../unsafe-name.ts'
import type { DumpedTree, TreeDump } from './dump.ts'
import { fileContent, ofSize } from './file-content.ts'
import { isTarType, padding, tarEnd, tarHeader } from './tar-format.ts'

/** The bytes of a tar archive with all that is in a folder. Names, modes, owners, times to the nanosecond, links and attributes are kept. */
export async function* tarOf(
  { repository, snapshot, path, inner, result }: TreeDump,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const firstNames = new Map<string, Buffer>()
  for await (const entry of listTree({ repository, snapshot, path, recursive: true, root: inner }, signal)) {
    signal.throwIfAborted()
    refuseUnsafe(entry)
    const { node } = entry
    // Without the slash in front: whoever unpacks it decides where.
    const relative = entry.path.subarray(1)
    if (!isTarType(node.type)) {
      result.skipped.push({ path: entry.path.toString(), reason: `tar has no entries of the type ${node.type}` })
      continue
    }
    const linkTo = node.type === 'file' ? firstNameOf(firstNames, node, relative) : undefined
    yield tarHeader({ path: relative, node, ...(linkTo && { linkTo }) })
    countEntry(result, node.type)
    if (node.type !== 'file' || linkTo !== undefined) continue
    const size = node.size ?? 0n
    for await (const piece of ofSize(fileContent(repository, node, signal), size, entry.path)) {
      result.sizeBytes += piece.length
      yield piece
    }
    yield padding(size)
  }
  yield tarEnd
}

export function countEntry(result: DumpedTree, type: string): void {
  result[type === 'file' ? 'files' : type === 'dir' ? 'folders' : 'others']++
}

/** Of a file with several names, the one that came first; undefined for that one itself. */
function firstNameOf(
  names: Map<string, Buffer>,
  { links = 0n, inode, deviceId = 0n }: { readonly links?: bigint; readonly inode?: bigint; readonly deviceId?: bigint },
  path: Buffer,
): Buffer | undefined {
  if (links < 2n || inode === undefined) return undefined
  const identity = `${deviceId}:${inode}`
  const first = names.get(identity)
  if (first === undefined) names.set(identity, path)
  return first
}
