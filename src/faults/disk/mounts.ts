import { readFileSync, statSync } from 'node:fs'

/** A mount as proc_pid_mountinfo(5) shows it. */
export interface Mount {
  /** No two mounts have the same at a time; one that is gone may leave it to another. */
  readonly id: number
  /** `major:minor` */
  readonly device: string
  readonly root: string
  readonly mountPoint: string
  /** Of this mount alone: `rw`, `nosuid`, `relatime`. */
  readonly options: readonly string[]
  readonly fileSystem: string
  readonly source: string
  /** Of the file system, wherever it is mounted. */
  readonly superOptions: readonly string[]
}

/** Those of this process' mount namespace, in the order in which they were mounted: later ones cover earlier ones. */
export function listMounts(): Mount[] {
  return readFileSync('/proc/self/mountinfo', 'utf8').split('\n').filter(Boolean).map(parse)
}

/** The one that is seen at that path; undefined when nothing is mounted just there. */
export function mountAt(path: string, mounts: readonly Mount[] = listMounts()): Mount | undefined {
  return mounts.findLast(({ mountPoint }) => mountPoint === path)
}

/** Mounts are seen in one namespace only. */
export function mountNamespace(): number {
  return statSync('/proc/self/ns/mnt').ino
}

function parse(line: string): Mount {
  const [before = '', after = ''] = line.split(' - ')
  const [id, , device = '', root = '', mountPoint = '', options = ''] = before.split(' ')
  const [fileSystem = '', source = '', superOptions = ''] = after.split(' ')
  return {
    id: Number(id),
    device,
    root: unescape(root),
    mountPoint: unescape(mountPoint),
    options: options.split(','),
    fileSystem,
    source: unescape(source),
    superOptions: superOptions.split(','),
  }
}

/** Space, tab, newline and backslash are written as three octal digits. */
function unescape(text: string): string {
  return text.replaceAll(/\\([0-7]{3})/g, (_, digits: string) => String.fromCodePoint(Number.parseInt(digits, 8)))
}
