import { writeFile } from 'node:fs/promises'
import { resolveSecret } from '../catalog/index.ts'
import { fetchWalFile, openWalArchive, readFetchConfig } from '../postgres/index.ts'
import { openRepository } from '../repository/index.ts'
import { openBackend } from './open-repository.ts'

/**
 * Fetches one file for PostgreSQL's restore_command, opening the repository for it alone: what works when nothing else of us does.
 * False only when the repository was read and has no such file.
 */
export async function fetchWal(
  { config: path, name, destination }: { readonly config: string; readonly name: string; readonly destination: string },
  signal?: AbortSignal,
): Promise<boolean> {
  const config = await readFetchConfig(path)
  const password = (await resolveSecret(config.repository.password, signal)).reveal()
  await using backend = await openBackend(config.repository.location)
  await using repository = await openRepository(backend, password, signal)
  const archive = openWalArchive(repository.area('holdfast/wal'), config.systemIdentifier)
  const bytes = await fetchWalFile(archive, name, signal, config)
  if (!bytes) return false
  await writeFile(destination, bytes, { mode: 0o600 })
  return true
}
