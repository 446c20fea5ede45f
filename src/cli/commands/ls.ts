import { listTree, unixPermissions, type ListedNode } from '../../backup/index.ts'
import { printableName } from '../../kernel/index.ts'
import type { NodeType } from '../../repository/index.ts'
import { openTargetRepository } from '../../service/index.ts'
import { command } from '../command.ts'
import { contextOf } from '../context.ts'
import { localTime } from '../output/time.ts'

/** Lines written at a time: a snapshot may have millions. */
const batch = 1000

export const lsCommand = command('ls', 'list what is in a snapshot', [
  ['holdfast --repo /mnt/nas/holdfast ls latest', 'everything'],
  ['holdfast --repo /mnt/nas/holdfast ls 1a2b3c4d /srv/data --long', 'one folder, with modes, owners, sizes and times'],
])
  .argument('<snapshot>', "'latest' or the beginning of an id")
  .argument('[path]', 'a file or folder in it')
  .option('-l, --long', 'modes, owners, sizes and times too')
  .option('--recursive', 'with a path: the folders below it too')
  .option('--host <name>', 'for latest: of this host')
  .option('--tag <tag>', 'for latest: with this tag; may be given again', collect)
  .option('--no-lock', 'take no lock: for a repository that cannot be written to')
  .option('--repository <name>', 'which of the catalog’s repositories')
  .action(async (wanted, path, { long = false, recursive = false, host, tag: tags = [], lock, repository: name }, self) => {
    const { globals, print, signal } = contextOf(self)
    await using target = await openTargetRepository(globals, name, signal)
    const { repository } = target
    await using _lock = lock ? await repository.lock('shared', {}, signal) : undefined
    const snapshot = await repository.findSnapshot(wanted, { ...(host !== undefined && { host }), tags }, signal)
    const entries = listTree({ repository, snapshot, ...(path !== undefined && { path }), recursive }, signal)
    if (print.json) {
      const nodes = await Array.fromAsync(entries, asJson)
      print.result({ snapshot: snapshot.id, nodes }, () => '')
      return
    }
    let lines: string[] = []
    const flush = () => {
      print.result(lines, (text) => text.join('\n'))
      lines = []
    }
    for await (const entry of entries) {
      lines.push(long ? longLine(entry) : printableName(entry.path.toString()))
      if (lines.length === batch) flush()
    }
    flush()
  })

function collect(value: string, values: readonly string[] = []): readonly string[] {
  return [...values, value]
}

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

function longLine({ path, node }: ListedNode): string {
  const owner = `${node.user ?? node.uid} ${node.group ?? node.gid}`
  const size = (node.size ?? 0n).toString().padStart(12)
  const arrow = node.linkTarget === undefined ? '' : ` -> ${printableName(node.linkTarget.toString())}`
  const mode = typeLetters[node.type] + permissionLetters(unixPermissions(node.mode))
  return `${mode}  ${owner.padEnd(17)}${size}  ${localTime(Number(node.mtime / 1_000_000n))}  ${printableName(path.toString())}${arrow}`
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

function asJson({ path, node }: ListedNode) {
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
    mtime: isoTime(node.mtime),
    atime: isoTime(node.atime),
    ctime: isoTime(node.ctime),
    // 64-bit numbers as text, since JSON's readers would round them; sizes are safe.
    inode: node.inode?.toString(),
    deviceId: node.deviceId?.toString(),
    device: node.device?.toString(),
    links: node.links === undefined ? undefined : Number(node.links),
    size: node.size === undefined ? undefined : Number(node.size),
    linkTarget: node.linkTarget?.toString(),
  }
}

function isoTime(ns: bigint): string {
  return new Date(Number(ns / 1_000_000n)).toISOString()
}
