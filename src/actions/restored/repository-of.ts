import { findService, type Catalog, type Service } from '../../catalog/index.ts'
import { HoldfastError } from '../../kernel/index.ts'
import { quote } from '../shell-words.ts'

/** The service, and the repository that a step restores it from: the one named, else the first that it is backed up to. */
export function serviceAndRepository(
  catalog: Catalog,
  name: string,
  repository: string | undefined,
): { service: Service; repository: string } {
  const service = findService(catalog, name)
  const chosen = repository ?? service.backup?.to[0]
  if (chosen !== undefined) return { service, repository: chosen }
  throw new HoldfastError('usage', {
    message: `service ${name} is backed up to no repository`,
    hint: `name one: services.${name}.backup.to in the catalog, or \`repository\` in the step`,
  })
}

/** What stands behind `restic -r`: as the catalog writes it, so that it is the same on every machine. */
export function resticRepository(catalog: Catalog | undefined, service: string, repository: string | undefined): string {
  const name = repository ?? catalog?.services[service]?.backup?.to[0]
  const entry = name === undefined ? undefined : catalog?.repositories[name]
  return entry === undefined ? 'REPOSITORY' : quote(entry.url)
}
