/** `holdfast/catalog`: types for a catalog that is written as code. What is exported here is the whole of it, and stays: see docs/catalog.md. */
export { defineCatalog, type CatalogInput } from '../catalog/index.ts'
