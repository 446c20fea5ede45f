import { HoldfastError } from '../../kernel/index.ts'
import type { BackupEntry } from './sink.ts'

/** A link of pg_tblspc leads beside the data directory, wherever that is restored. Other links are not part of a base backup. */
export function tablespaceLink(type: BackupEntry['type'], name: string): string | undefined {
  if (type !== 'symlink') return undefined
  const oid = /^pg_tblspc\/(\d+)$/.exec(name)?.[1]
  if (oid !== undefined) return `../../tablespaces/${oid}`
  throw new HoldfastError('postgres-failed', { message: `the server sent a link that is not a tablespace's: ${name}` })
}

/** Without `./` and a `/` at the end; undefined for the directory itself. What would lead out of it is refused. */
export function safeName(name: string): string | undefined {
  const parts = name.split('/').filter((part) => part !== '' && part !== '.')
  if (name.startsWith('/') || parts.includes('..')) {
    throw new HoldfastError('postgres-failed', {
      message: `the server sent a file name that leads out of its data directory: ${name}`,
    })
  }
  return parts.length === 0 ? undefined : parts.join('/')
}
