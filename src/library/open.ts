import { createRepository as create, openRepository as open } from '../repository/index.ts'
import { openLocalBackend } from '../storage/index.ts'
import type { Repository } from './contract.ts'
import { LibraryRepository } from './repository.ts'

/** Opens the repository in a folder. Throws `no-repository`, `not-a-repository`, `wrong-password`, `unsupported-repository`. */
export async function openRepository(path: string, password: string, signal?: AbortSignal): Promise<Repository> {
  return new LibraryRepository(await open(await openLocalBackend(path), password, signal))
}

/** Makes one in a folder that is empty or not there, and opens it. Throws `repository-exists`. */
export async function createRepository(path: string, password: string, signal?: AbortSignal): Promise<Repository> {
  return new LibraryRepository(await create(await openLocalBackend(path), password, {}, signal))
}
