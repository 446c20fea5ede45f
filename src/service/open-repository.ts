import { HoldfastError } from '../kernel/index.ts'
import { loadCatalog, resolveSecret, type Catalog, type RepositoryEntry, type SecretRef } from '../catalog/index.ts'
import { createRepository, openRepository, type Repository } from '../repository/index.ts'
import { openLocalBackend, type Backend } from '../storage/index.ts'

/** Where a command is told to find its repository: by flags or environment, or by a catalog. */
export interface RepositoryChoice {
  /** A location. With it the catalog is not looked at. */
  readonly repo?: string
  readonly passwordFile?: string
  /** The catalog's path; absent: holdfast.yaml in the current folder. */
  readonly catalog?: string
}

/** An open repository, and the catalog that named it. Disposing it closes the repository. */
export interface TargetRepository extends AsyncDisposable {
  readonly repository: Repository
  readonly catalog?: Catalog
}

/** Where objects of `location` are. Throws `usage` for kinds of places that this version cannot reach. */
export async function openBackend(location: string): Promise<Backend> {
  const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(location)?.[1]
  if (scheme === undefined) return openLocalBackend(location)
  throw new HoldfastError('usage', {
    message: `repositories at ${scheme}: locations are not supported yet`,
    hint: 'use a path; a mounted network file system is one',
  })
}

/** Opens a repository of the catalog. The errors of openRepository, and `secret-unavailable`. */
export async function openCatalogRepository(catalog: Catalog, name: string, signal?: AbortSignal): Promise<Repository> {
  const { location, password } = repositoryEntry(catalog, name)
  return openAt(location, password, openRepository, signal)
}

/** Makes a repository that the catalog names. Throws `repository-exists`. */
export async function createCatalogRepository(catalog: Catalog, name: string, signal?: AbortSignal): Promise<Repository> {
  const { location, password } = repositoryEntry(catalog, name)
  return openAt(location, password, (backend, secret, abort) => createRepository(backend, secret, {}, abort), signal)
}

/** Opens what `--repo` and `--password-file` say, else the catalog's repository `name`, else the only one that it has. */
export async function openTargetRepository(
  choice: RepositoryChoice,
  name: string | undefined,
  signal?: AbortSignal,
): Promise<TargetRepository> {
  if (choice.repo !== undefined) {
    if (name !== undefined)
      throw new HoldfastError('usage', { message: 'give either --repo or the name of a repository of the catalog, not both' })
    return target(await openAt(choice.repo, passwordReference(choice), openRepository, signal))
  }
  const catalog = await loadCatalog(choice.catalog ?? 'holdfast.yaml', {}, signal)
  return target(await openCatalogRepository(catalog, name ?? onlyRepository(catalog), signal), catalog)
}

/** Makes the repository that `--repo` and `--password-file` say. Throws `repository-exists`. */
export async function createRepositoryAt(
  choice: RepositoryChoice & { readonly repo: string },
  signal?: AbortSignal,
): Promise<Repository> {
  return openAt(
    choice.repo,
    passwordReference(choice),
    (backend, secret, abort) => createRepository(backend, secret, {}, abort),
    signal,
  )
}

function target(repository: Repository, catalog?: Catalog): TargetRepository {
  return {
    repository,
    ...(catalog ? { catalog } : {}),
    [Symbol.asyncDispose]: () => repository[Symbol.asyncDispose](),
  }
}

async function openAt(
  location: string,
  password: SecretRef,
  open: (backend: Backend, password: string, signal?: AbortSignal) => Promise<Repository>,
  signal?: AbortSignal,
): Promise<Repository> {
  const secret = repositoryPassword(password, (await resolveSecret(password, signal)).reveal())
  const backend = await openBackend(location)
  try {
    return await open(backend, secret, signal)
  } catch (error) {
    await backend[Symbol.asyncDispose]()
    throw error
  }
}

/** As restic: what a file or a command gives counts without white space at its ends, so that one file serves both programs. */
function repositoryPassword(reference: SecretRef, secret: string): string {
  return 'env' in reference ? secret : secret.trim()
}

function repositoryEntry(catalog: Catalog, name: string): RepositoryEntry {
  const entry = catalog.repositories[name]
  if (entry) return entry
  throw new HoldfastError('usage', {
    message: `the catalog names no repository '${name}'`,
    hint: `it has: ${Object.keys(catalog.repositories).join(', ')}`,
  })
}

function onlyRepository(catalog: Catalog): string {
  const [name, ...others] = Object.keys(catalog.repositories)
  if (name !== undefined && others.length === 0) return name
  throw new HoldfastError('usage', {
    message: `${catalog.file} names ${name === undefined ? 'no repository' : 'several repositories'}`,
    hint:
      name === undefined ? 'add one under `repositories`' : `say which one with --repository: ${[name, ...others].join(', ')}`,
  })
}

function passwordReference({ passwordFile }: RepositoryChoice): SecretRef {
  if (passwordFile !== undefined) return { file: passwordFile }
  if (process.env.HOLDFAST_PASSWORD !== undefined) return { env: 'HOLDFAST_PASSWORD' }
  throw new HoldfastError('usage', {
    message: 'no password is given for the repository',
    hint: 'give --password-file FILE, or set HOLDFAST_PASSWORD_FILE or HOLDFAST_PASSWORD',
  })
}
