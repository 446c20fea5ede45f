import { quote } from '../../kernel/index.ts'
import { portablePath, type Catalog, type SecretRef } from '../../catalog/index.ts'
import { findServer, type DeclaredServer, type ServerHere } from './named-server.ts'

export interface ServerByNameOrUrl {
  readonly server?: string | undefined
  readonly service?: string | undefined
  readonly url?: string | SecretRef | undefined
}

/** `psql URL` to a server as a step names it. */
export function psqlTo(p: ServerByNameOrUrl, catalog: Catalog | undefined): string {
  return `psql ${urlAsWord(declared(p, catalog)?.place.url ?? p.url, p.server, catalog)}`
}

/** A connection URL as one word of a shell line, which shows no secret. */
export function urlAsWord(url: string | SecretRef | undefined, name: string | undefined, catalog: Catalog | undefined): string {
  if (url === undefined) return `"$${(name ?? 'database').toUpperCase().replaceAll(/\W/g, '_')}_URL"`
  return typeof url === 'string' ? quote(url) : secretAsWord(url, catalog)
}

/** A secret as one word of a shell line, which does not show it. */
function secretAsWord(secret: SecretRef, catalog: Catalog | undefined): string {
  if ('env' in secret) return `"$${secret.env}"`
  if ('command' in secret) return `"$(${secret.command.map(quote).join(' ')})"`
  const { from, path } = catalog === undefined ? { from: 'root', path: secret.file } : portablePath(secret.file, catalog)
  return `"$(cat ${from === 'home' ? '"$HOME"/' : ''}${quote(path)})"`
}

/** Undefined without a catalog, and for a server that it does not declare. */
export function declared(p: ServerByNameOrUrl, catalog: Catalog | undefined): DeclaredServer | undefined {
  if (p.server === undefined || catalog === undefined) return undefined
  return findServer(catalog, { server: p.server, service: p.service })
}

/** A server's data directory as one word of a shell line. */
export function dataDirectoryWord(p: ServerHere, catalog: Catalog | undefined): string {
  return quote(p.dataDirectory ?? declared(p, catalog)?.place.dataDirectory ?? `DATA DIRECTORY OF ${p.server ?? ''}`)
}
