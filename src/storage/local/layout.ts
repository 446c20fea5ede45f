import { join } from 'node:path'
import type { ObjectKind } from '../backend.ts'

/** restic's folders, in the order it makes them. */
const folders = ['data', 'index', 'keys', 'locks', 'snapshots'] as const

/** Where an object is, as restic lays a local repository out: packs in 256 folders by the first byte of their name. */
export function objectPath(root: string, kind: ObjectKind, name: string): string {
  if (kind === 'config') return join(root, 'config')
  return kind === 'data' ? join(root, 'data', name.slice(0, 2), name) : join(root, kind, name)
}

/** Every folder of a new repository, parents first. */
export function repositoryFolders(root: string): string[] {
  const packFolders = Array.from({ length: 256 }, (_, byte) => join(root, 'data', byte.toString(16).padStart(2, '0')))
  return [...folders.map((folder) => join(root, folder)), ...packFolders]
}
