import { stat } from 'node:fs/promises'
import { join } from 'node:path'

/** Permission bits of a repository's folders and of its files, which are write-once and therefore read-only. */
export interface Modes {
  readonly folder: number
  readonly file: number
}

const ownerOnly: Modes = { folder: 0o700, file: 0o400 }
const withGroup: Modes = { folder: 0o770, file: 0o440 }

/** restic's rule: when the group may read `config`, it may use the whole repository. */
export async function modesOf(root: string): Promise<Modes> {
  try {
    const { mode } = await stat(join(root, 'config'))
    return (mode & 0o040) === 0 ? ownerOnly : withGroup
  } catch {
    // No config yet: the repository is being made.
    return ownerOnly
  }
}
