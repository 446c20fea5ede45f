/** One entry of a base backup. Paths are relative and use `/`: `data/…` is the data directory, `tablespaces/<oid>/…` what lies outside. */
export interface BackupEntry {
  readonly path: string
  readonly type: 'file' | 'directory' | 'symlink'
  /** Permission bits. */
  readonly mode: number
  readonly uid: number
  readonly gid: number
  readonly user: string
  readonly group: string
  /** Seconds since 1970. */
  readonly mtime: number
  /** Of a link. */
  readonly linkTarget?: string
}

/** Where a base backup goes. Entries come one after the other; a parent may come after what it holds. */
export interface BackupSink {
  /** Takes all of the content before it resolves; may go on saving it after that. The content's size is what comes. */
  add(entry: BackupEntry, content: AsyncIterable<Buffer>): Promise<void>
}
