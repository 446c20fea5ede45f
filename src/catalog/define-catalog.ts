import type { z } from 'zod'
import type { catalogSchema } from './schema.ts'

/** A catalog as it is written: what holdfast.yaml may say, with the same names, units and references. */
export type CatalogInput = z.input<ReturnType<typeof catalogSchema>>

/**
 * Gives a catalog its types, in a file whose default export it is: `export default defineCatalog({ … })`. Changes and checks nothing: what is wrong is said by
 * whoever reads the file, as of YAML. A function, also an async one, may stand for the catalog.
 */
export function defineCatalog(catalog: CatalogInput): CatalogInput
export function defineCatalog(catalog: () => CatalogInput | Promise<CatalogInput>): () => CatalogInput | Promise<CatalogInput>
export function defineCatalog(catalog: unknown): unknown {
  return catalog
}
