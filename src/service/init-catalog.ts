import { access } from 'node:fs/promises'
import { basename, dirname, resolve } from 'node:path'
import { writeStarterCatalog, type Catalog, type DatabaseFound } from '../catalog/index.ts'
import { isHoldfastError, type HoldfastError } from '../kernel/index.ts'
import { findDatabase } from './find-database.ts'
import { createCatalogRepository, openCatalogRepository } from './open-repository.ts'
import { loadRunCatalog } from './recovery/load-catalog.ts'

export type InitOutcome =
  | { readonly kind: 'starter'; readonly file: string; readonly found: DatabaseFound | undefined }
  | { readonly kind: 'repositories'; readonly file: string; readonly repositories: readonly RepositoryOutcome[] }

export interface RepositoryOutcome {
  readonly name: string
  readonly location: string
  readonly state: 'made' | 'already-there' | 'failed'
  /** Of a repository that was made. */
  readonly id?: string
  /** Why it failed. */
  readonly error?: HoldfastError
}

export interface InitOptions {
  /** Where every repository is to cut content; each draws its own otherwise. */
  readonly chunkerPolynomial?: bigint
  /** All are to cut it where the first of the catalog does, so that what is copied and what is backed up to several shares blobs. */
  readonly sameChunker?: boolean
}

/**
 * The first thing to do with a catalog: without one, a starter is written for the database that is found; with one, the repositories that
 * it names and that are not there yet are made. Doing it again does no harm. Throws `catalog-invalid`.
 */
export async function initCatalog(path: string, options: InitOptions, signal?: AbortSignal): Promise<InitOutcome> {
  const file = resolve(path)
  if (!(await exists(file))) {
    const found = await findDatabase({}, signal)
    return { kind: 'starter', file: await writeStarterCatalog(dirname(file), found, basename(file)), found }
  }
  const catalog = await loadRunCatalog(file, signal)
  const repositories: RepositoryOutcome[] = []
  let { chunkerPolynomial } = options
  for (const { name, location } of Object.values(catalog.repositories)) {
    try {
      const parameters = chunkerPolynomial === undefined ? {} : { chunkerPolynomial }
      await using repository = await createCatalogRepository(catalog, name, parameters, signal)
      repositories.push({ name, location, state: 'made', id: repository.id })
      if (options.sameChunker) chunkerPolynomial ??= repository.config.chunkerPolynomial
    } catch (error) {
      signal?.throwIfAborted()
      // One that cannot be reached today must not keep the others from being made.
      if (!isHoldfastError(error)) throw error
      const there = error.code === 'repository-exists'
      repositories.push({ name, location, ...(there ? { state: 'already-there' } : { state: 'failed', error }) })
      // Without the first, nobody knows where the others should cut.
      if (options.sameChunker) chunkerPolynomial ??= await polynomialOf(catalog, name, signal)
    }
  }
  return { kind: 'repositories', file, repositories }
}

async function polynomialOf(catalog: Catalog, name: string, signal?: AbortSignal): Promise<bigint> {
  await using repository = await openCatalogRepository(catalog, name, signal)
  return repository.config.chunkerPolynomial
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  )
}
