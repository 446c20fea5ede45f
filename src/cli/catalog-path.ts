import { defaultCatalog } from '../catalog/index.ts'
import type { GlobalOptions } from './command.ts'

/** The catalog that `--catalog` names, else that of this folder. Throws what `defaultCatalog` throws. */
export function catalogPath({ catalog }: Pick<GlobalOptions, 'catalog'>): string {
  return catalog ?? defaultCatalog()
}
