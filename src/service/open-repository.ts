import { HoldfastError } from '../kernel/index.ts'
import {
  defaultCatalog,
  loadCatalog,
  resolveSecret,
  type Catalog,
  type RepositoryEntry,
  type SecretRef,
} from '../catalog/index.ts'
import { createRepository, openRepository, type CreateOptions, type Repository } from '../repository/index.ts'
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
export async function createCatalogRepository(
  catalog: Catalog,
  name: string,
  options: CreateOptions = {},
  signal?: AbortSignal,
): Promise<Repository> {
  const { location, password } = repositoryEntry(catalog, name)
  return openAt(location, password, (backend, secret, abort) => createRepository(backend, secret, options, abort), signal)
}

/** Where a second repository is, for commands that work on two. */
export interface SourceChoice {
  readonly fromRepo?: string
  readonly fromPasswordFile?: string
  /** The name of one of the catalog's. */
  readonly from?: string
  readonly catalog?: string
}

/** Opens the repository to copy from: by its own flags or environment, or by its name in the catalog. */
export async function openSourceRepository(choice: SourceChoice, signal?: AbortSignal): Promise<TargetRepository> {
  const { fromRepo, fromPasswordFile, from } = choice
  if ((fromRepo === undefined) === (from === undefined))
    throw new HoldfastError('usage', {
      message: from === undefined ? 'what to copy from is not said' : 'give either --from or --from-repo, not both',
      hint: '--from NAME for a repository of the catalog, or --from-repo LOCATION with --from-password-file FILE',
    })
  if (fromRepo !== undefined) {
    const password = passwordReference(fromPasswordFile, { variable: 'HOLDFAST_FROM_PASSWORD', flag: '--from-password-file' })
    return target(await openAt(fromRepo, password, openRepository, signal))
  }
  return openTargetRepository(choice.catalog === undefined ? {} : { catalog: choice.catalog }, from, signal)
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
    return target(await openAt(choice.repo, passwordReference(choice.passwordFile), openRepository, signal))
  }
  const catalog = await loadCatalog(choice.catalog ?? defaultCatalog(), {}, signal)
  return target(await openCatalogRepository(catalog, name ?? onlyRepository(catalog), signal), catalog)
}

/** Makes the repository that `--repo` and `--password-file` say. Throws `repository-exists`. */
export async function createRepositoryAt(
  choice: RepositoryChoice & { readonly repo: string },
  options: CreateOptions = {},
  signal?: AbortSignal,
): Promise<Repository> {
  return openAt(
    choice.repo,
    passwordReference(choice.passwordFile),
    (backend, secret, abort) => createRepository(backend, secret, options, abort),
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

/** A password by the same rules, from a file or the environment; undefined when neither is given. */
export async function readPassword(
  file: string | undefined,
  variable: string,
  signal?: AbortSignal,
): Promise<string | undefined> {
  if (file === undefined && process.env[variable] === undefined) return undefined
  const reference: SecretRef = file === undefined ? { env: variable } : { file }
  return repositoryPassword(reference, (await resolveSecret(reference, signal)).reveal())
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

function passwordReference(
  file: string | undefined,
  { variable, flag } = { variable: 'HOLDFAST_PASSWORD', flag: '--password-file' },
): SecretRef {
  if (file !== undefined) return { file }
  if (process.env[variable] !== undefined) return { env: variable }
  throw new HoldfastError('usage', {
    message: 'no password is given for the repository',
    hint: `give ${flag} FILE, or set ${variable}_FILE or ${variable}`,
  })
}
