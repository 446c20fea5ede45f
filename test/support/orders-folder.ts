import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { holdfast, temporaryFolder } from './holdfast.ts'

/** A folder with a file of orders in `data`, a password, and the catalog that the text makes of them; `run` works with that, and gives JSON. */
export async function ordersFolder(
  name: string,
  catalogOf: (parts: {
    readonly at: (name: string) => string
    /** The catalog's entry of a repository of that name in the folder, at the site `hq`. */
    readonly repository: (name: string) => string
  }) => string,
) {
  const folder = await temporaryFolder(name)
  const at = (part: string) => join(folder.path, part)
  await mkdir(at('data'))
  await writeFile(at('data/orders.csv'), 'one\n'.repeat(1000))
  await writeFile(at('password'), 'a password')
  const repository = (part: string) => `{ url: ${part}, site: hq, media: disk, password: { file: ${at('password')} } }`
  await writeFile(at('holdfast.yaml'), catalogOf({ at, repository }))
  return {
    at,
    run: (...args: string[]) => holdfast(['--catalog', at('holdfast.yaml'), '--json', ...args]),
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  }
}
