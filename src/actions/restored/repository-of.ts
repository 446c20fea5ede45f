import { findService, type Catalog, type Service } from '../../catalog/index.ts'
import { HoldfastError, isHoldfastError, type ErrorCode, type Json, quote } from '../../kernel/index.ts'
import type { Repository } from '../../repository/index.ts'
import type { ActionContext } from '../contract.ts'

export interface CopyOf {
  readonly service: Service
  readonly repository: string
}

/** The service, and the repository that a step restores it from: the one named, else the first that it is backed up to. */
export function serviceAndRepository(catalog: Catalog, name: string, repository: string | undefined): CopyOf {
  const service = findService(catalog, name)
  const chosen = repository ?? service.backup?.to[0]
  if (chosen !== undefined) return { service, repository: chosen }
  throw new HoldfastError('usage', {
    message: `service ${name} is backed up to no repository`,
    hint: `name one: services.${name}.backup.to in the catalog, or \`repository\` in the step`,
  })
}

/** Actions that restore a service, of which a repository by another name can be taken. */
const restoring: ReadonlySet<string> = new Set(['files.restore', 'postgres.restore'])

/** Whether a step restores a service that is backed up to this repository, or of which the catalog does not say where. */
export function restoresFrom(
  repository: string,
  { kind, params }: { readonly kind: string; readonly params: Json },
  catalog: Catalog,
): boolean {
  if (!restoring.has(kind) || params === null || typeof params !== 'object' || !('service' in params)) return false
  const to = typeof params.service === 'string' ? catalog.services[params.service]?.backup?.to : undefined
  return to === undefined || to.length === 0 || to.includes(repository)
}

/** What says that something in a repository is not as it should be, so that another copy may do. */
const ofCopy: ReadonlySet<ErrorCode> = new Set([
  'object-missing',
  'object-damaged',
  'pack-damaged',
  'blob-missing',
  'storage-failed',
  'snapshot-not-found',
  'recovery-target',
  'wal-gap',
])

/** Opens the repository of a copy. Whatever is in the way, the error names the other copies. */
export async function openCopy(context: ActionContext, copy: CopyOf, signal: AbortSignal): Promise<Repository> {
  try {
    return await context.openRepository(copy.repository, signal)
  } catch (error) {
    signal.throwIfAborted()
    throw withOthers(copy, error)
  }
}

/** Does something with what is in a copy; where it is the copy that fails, the error names the others. */
export async function fromCopy<T>(copy: CopyOf, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw isHoldfastError(error) && ofCopy.has(error.code) ? withOthers(copy, error) : error
  }
}

function withOthers({ service, repository }: CopyOf, error: unknown): unknown {
  const others = (service.backup?.to ?? []).filter((name) => name !== repository)
  if (!isHoldfastError(error) || others.length === 0) return error
  const other = `restore from another copy: ${others.map((name) => `--repository ${name}`).join(' or ')}`
  const { code, message, hint, retryable, details } = error
  return new HoldfastError(code, {
    message,
    hint: hint === undefined ? other : `${hint}; or ${other}`,
    retryable,
    details,
    cause: error,
  })
}

/** What stands behind `restic -r`: as the catalog writes it, so that it is the same on every machine. */
export function resticRepository(catalog: Catalog | undefined, service: string, repository: string | undefined): string {
  const name = repository ?? catalog?.services[service]?.backup?.to[0]
  const entry = name === undefined ? undefined : catalog?.repositories[name]
  return entry === undefined ? 'REPOSITORY' : quote(entry.url)
}
