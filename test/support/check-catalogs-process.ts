/** Checks catalogs in one process, as a command does: `check-catalogs-process FILE…`. Prints one line of JSON for each. Vitest would run code of catalogs by itself. */
import { checkCatalog } from '../../src/catalog/index.ts'

for (const file of process.argv.slice(2)) {
  const check = await checkCatalog(file)
  console.log(JSON.stringify(check.valid ? { valid: true, ...check.catalog } : check))
}
