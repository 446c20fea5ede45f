import type { CatalogProblemCode } from './problem.ts'

export type Path = readonly (string | number)[]

/** Something wrong at an offset of the text; becomes a CatalogProblem when the file and its lines are known. */
export interface Finding {
  readonly code: CatalogProblemCode
  readonly offset: number
  readonly message: string
  readonly expected?: string
  readonly hint?: string
}

export function isPlainMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** How a place is called in messages: `services.orders-db.objectives.rpo`. */
export function pathText(path: Path): string {
  if (path.length === 0) return 'the catalog'
  return path.map((part, index) => (typeof part === 'number' ? `[${part}]` : `${index === 0 ? '' : '.'}${part}`)).join('')
}
