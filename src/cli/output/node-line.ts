import { unixPermissions, type ListedNode } from '../../backup/index.ts'
import { formatSize, printableName } from '../../kernel/index.ts'
import { formatTime, type NodeType } from '../../repository/index.ts'

const typeLetters: Readonly<Record<NodeType, string>> = {
  file: '-',
  dir: 'd',
  symlink: 'l',
  dev: 'b',
  chardev: 'c',
  fifo: 'p',
  socket: 's',
  irregular: '?',
}

/** An entry as `ls -l` shows it, its times in the local zone. */
export function longLine({ path, node }: ListedNode, humanReadable = false): string {
  const owner = `${node.user ?? node.uid} ${node.group ?? node.gid}`
  const size = humanReadable ? formatSize(Number(node.size ?? 0n)) : (node.size ?? 0n).toString()
  const arrow = node.linkTarget === undefined ? '' : ` -> ${printableName(node.linkTarget.toString())}`
  const mode = typeLetters[node.type] + permissionLetters(unixPermissions(node.mode))
  const time = formatTime(node.mtime).slice(0, 19).replace('T', ' ')
  return `${mode}  ${owner.padEnd(17)}${size.padStart(12)}  ${time}  ${shortLine({ path })}${arrow}`
}

export function shortLine({ path }: Pick<ListedNode, 'path'>): string {
  return printableName(path.toString())
}

/** As ls shows it: `rwxr-sr-t`. */
function permissionLetters(mode: number): string {
  const triple = (shift: number, special: boolean, letter: string) => {
    const bits = (mode >> shift) & 7
    const execute = (bits & 1) !== 0
    const last = special ? (execute ? letter : letter.toUpperCase()) : execute ? 'x' : '-'
    return `${bits & 4 ? 'r' : '-'}${bits & 2 ? 'w' : '-'}${last}`
  }
  return triple(6, (mode & 0o4000) !== 0, 's') + triple(3, (mode & 0o2000) !== 0, 's') + triple(0, (mode & 0o1000) !== 0, 't')
}

/** What `--json` says of an entry. Times are RFC 3339 to the nanosecond. */
export function nodeJson({ path, node }: ListedNode) {
  const {
    name: _name,
    content: _content,
    subtree: _subtree,
    extendedAttributes: _attributes,
    genericAttributes: _generic,
    ...rest
  } = node
  return {
    path: path.toString(),
    ...rest,
    mode: unixPermissions(node.mode),
    mtime: formatTime(node.mtime),
    atime: formatTime(node.atime),
    ctime: formatTime(node.ctime),
    // 64-bit numbers as text, since JSON's readers would round them; sizes are safe.
    inode: node.inode?.toString(),
    deviceId: node.deviceId?.toString(),
    device: node.device?.toString(),
    links: node.links === undefined ? undefined : Number(node.links),
    size: node.size === undefined ? undefined : Number(node.size),
    linkTarget: node.linkTarget?.toString(),
  }
}
