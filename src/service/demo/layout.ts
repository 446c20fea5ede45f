import { chmod, mkdir, mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { HoldfastError, systemCode } from '../../kernel/index.ts'

/** Where everything of one demo lives. Two folders stand for two sites: what is in `production` is going to be destroyed. */
export interface DemoLayout {
  readonly root: string
  readonly catalog: string
  readonly repository: string
  readonly passwordFile: string
  readonly receiverLog: string
  readonly production: { readonly root: string; readonly dataDirectory: string; readonly files: string; readonly log: string }
  readonly recovery: { readonly root: string; readonly dataDirectory: string; readonly files: string }
}

/**
 * Makes the folder of a demo: `keep` (must be empty or absent), else a new one among the temporary files.
 * Throws `target-not-empty`.
 */
export async function createLayout(keep: string | undefined): Promise<DemoLayout> {
  const root = keep === undefined ? await mkdtemp(join(tmpdir(), 'holdfast-demo-')) : resolve(keep)
  if (keep !== undefined) {
    await mkdir(root, { recursive: true })
    if ((await readdir(root)).length > 0)
      throw new HoldfastError('target-not-empty', {
        message: `${root} is not empty`,
        hint: 'give --keep a new or empty folder; the demo destroys only what it made itself',
      })
  }
  // PostgreSQL runs as an unprivileged user when we are root, and must be able to reach its own folders below this one.
  await chmod(root, 0o755)
  const production = join(root, 'production')
  const recovery = join(root, 'recovery')
  for (const folder of [production, recovery]) await mkdir(folder, { mode: 0o755 })
  return {
    root,
    catalog: join(root, 'holdfast.yaml'),
    repository: join(root, 'repository'),
    passwordFile: join(root, 'password'),
    receiverLog: join(root, 'wal-receiver.log'),
    production: {
      root: production,
      dataDirectory: join(production, 'pgdata'),
      files: join(production, 'receipts'),
      log: join(production, 'postgresql.log'),
    },
    recovery: { root: recovery, dataDirectory: join(recovery, 'pgdata'), files: join(recovery, 'receipts') },
  }
}

/** Removes a folder tree that may still be losing files of its own, as the data directory of a server that was just killed. */
export async function removeTree(path: string): Promise<void> {
  try {
    await rm(path, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 })
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error
  }
}
