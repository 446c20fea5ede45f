import { join, resolve } from 'node:path'
import { homeFolder } from '../kernel/index.ts'
import type { CatalogFile } from './schema.ts'
import type { SecretRef } from './types.ts'

/** A reference with the path of its file made absolute. */
export function buildSecret(secret: CatalogFile['repositories'][string]['password'], directory: string): SecretRef {
  if (secret.env !== undefined) return { env: secret.env }
  if (secret.file !== undefined) return { file: fromDirectory(directory, secret.file) }
  const [program = '', ...args] = secret.command ?? []
  return { command: [program, ...args] }
}

export function fromDirectory(directory: string, path: string): string {
  return path === '~' || path.startsWith('~/') ? join(homeFolder(), path.slice(1)) : resolve(directory, path)
}
