import { dirname, join, relative } from 'node:path'
import { homeFolder } from '../kernel/index.ts'
import type { Catalog } from './types.ts'

/** Where a path of a catalog is, in a form that is the same on every machine that has the catalog. */
export type PortablePath = { readonly from: 'catalog' | 'home' | 'root'; readonly path: string }

/**
 * A path that reading the catalog made absolute, as it may have been written: relative to the catalog's folder, or to the home folder of
 * whoever runs this.
 */
export function portablePath(path: string, { file }: Pick<Catalog, 'file'>): PortablePath {
  const bases = [
    ['catalog', dirname(file)],
    ['home', homeFolder()],
  ] as const
  for (const [from, base] of bases) {
    if (base !== '/' && path.startsWith(join(base, '/'))) return { from, path: relative(base, path) }
  }
  return { from: 'root', path }
}
