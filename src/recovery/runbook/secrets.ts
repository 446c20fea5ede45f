import { portablePath, type Catalog, type SecretRef } from '../../catalog/index.ts'
import type { Json } from '../../kernel/index.ts'
import type { StepSecret } from './model.ts'

/** Where a secret is, in words that are the same on every machine; of a command only the program, for its arguments may say too much. */
export function describeReference(reference: SecretRef, catalog: Pick<Catalog, 'file'>): string {
  if ('env' in reference) return `the environment variable ${reference.env}`
  if ('command' in reference) return `what the command ${reference.command[0]} prints`
  return `the file ${pathText(reference.file, catalog)}`
}

/** A path in words that are the same on every machine. */
export function pathText(absolute: string, catalog: Pick<Catalog, 'file'>): string {
  const { from, path } = portablePath(absolute, catalog)
  if (from === 'catalog') return `${path} beside the catalog`
  return from === 'home' ? `~/${path}` : path
}

/** The references to secrets within an action's parameters. */
export function secretsIn(params: Json, catalog: Pick<Catalog, 'file'>, path: readonly string[] = []): StepSecret[] {
  if (Array.isArray(params)) return params.flatMap((item: Json, index) => secretsIn(item, catalog, [...path, String(index)]))
  if (params === null || typeof params !== 'object') return []
  const reference = asReference(params as Readonly<Record<string, Json>>)
  if (reference !== undefined) return [{ parameter: path.join('.'), where: describeReference(reference, catalog) }]
  return Object.entries<Json>(params as Readonly<Record<string, Json>>).flatMap(([key, value]) =>
    secretsIn(value, catalog, [...path, key]),
  )
}

/** `{ env: NAME }` is one; `{ env: { NAME: … } }`, the variables of a command, is not. */
function asReference(value: Readonly<Record<string, Json>>): SecretRef | undefined {
  const [[key, where] = [], ...others] = Object.entries<Json>(value)
  if (others.length > 0) return undefined
  if (key === 'env' && typeof where === 'string') return { env: where }
  if (key === 'file' && typeof where === 'string') return { file: where }
  const [program, ...args] = Array.isArray(where) ? (where as readonly Json[]).map(String) : []
  return key === 'command' && program !== undefined ? { command: [program, ...args] } : undefined
}
