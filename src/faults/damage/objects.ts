import { readdir, realpath, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { HoldfastError, systemCode } from '../../kernel/index.ts'

export const damageKinds = ['pack', 'index', 'snapshot', 'key', 'wal'] as const
export type DamageKind = (typeof damageKinds)[number]

/** A file of a repository or of a WAL archive. */
export interface StoredFile {
  /** Below its root, with slashes. */
  readonly path: string
  readonly sizeBytes: number
}

/**
 * What is there, in the order in which it must be copied while somebody writes: what names others first, so that what it names is there when its
 * turn comes. Without locks, which would lock the copy, and without what is not finished writing. Symbolic links are followed, each folder once.
 */
export async function listFiles(root: string, signal: AbortSignal): Promise<StoredFile[]> {
  const seen = new Set<string>()
  const walk = async (folder: string): Promise<StoredFile[]> => {
    signal.throwIfAborted()
    const real = await realpath(join(root, folder))
    if (seen.has(real)) return []
    seen.add(real)
    const found: StoredFile[] = []
    for (const name of (await readdir(real)).sort()) {
      const path = folder === '' ? name : `${folder}/${name}`
      if (path === 'locks' || /-tmp-[0-9a-z]+$/.test(name)) continue
      const info = await stat(join(root, path)).catch(goneMeanwhile)
      if (info?.isDirectory()) found.push(...(await walk(path)))
      else if (info?.isFile()) found.push({ path, sizeBytes: info.size })
    }
    return found
  }
  return (await walk('')).sort((a, b) => turn(a.path) - turn(b.path))
}

/** restic's layout (its design document, "Repository Layout"), Holdfast's WAL beside it, or segments as `archive_command` stores them. */
export function kindOf(path: string): DamageKind | undefined {
  const [kind] = Object.entries(names).find(([, name]) => name.test(path)) ?? []
  return kind as DamageKind | undefined
}

const id = '[0-9a-f]{64}'
const names: Readonly<Record<DamageKind, RegExp>> = {
  pack: new RegExp(`^data/[0-9a-f]{2}/${id}$`),
  index: new RegExp(`^index/${id}$`),
  snapshot: new RegExp(`^snapshots/${id}$`),
  key: new RegExp(`^keys/${id}$`),
  // A range of Holdfast's, or a segment by its 24 digits, packed or not: 000000010000000000000004.gz, …-<checksum>.zst.
  wal: /^holdfast\/wal\/\d+\/[0-9A-F]{8}\/[0-9A-F]{16}-[0-9A-F]{16}$|(?:^|\/)[0-9A-F]{24}(?:-[0-9a-f]+)?(?:\.(?:gz|bz2|xz|lz4|zst|partial))?$/,
}

function turn(path: string): number {
  return ['snapshots/', 'index/', 'data/'].findIndex((folder) => path.startsWith(folder))
}

/** A file that was removed between its folder and the look at it. */
export function goneMeanwhile(error: unknown): undefined {
  if (systemCode(error) !== 'ENOENT') throw error
}

/** Throws `fault-refused`. */
export async function requireFolder(path: string): Promise<void> {
  const info = await stat(path).catch(goneMeanwhile)
  if (info?.isDirectory() !== true) throw new HoldfastError('fault-refused', { message: `${path} is no folder` })
}
