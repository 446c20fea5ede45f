import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createCatalogRepository, loadRunCatalog } from '../../src/service/index.ts'
import { holdfast, temporaryFolder } from './holdfast.ts'

/**
 * Files, backed up to two of three repositories, `near` and `far`, and a service without data that the same plan brings back. The step that restores
 * them names the repository, or none.
 */
export async function twoCopies(named: 'far' | undefined) {
  const folder = await temporaryFolder('two-copies')
  const at = (name: string) => join(folder.path, name)
  await mkdir(at('data'))
  await writeFile(at('data/orders.csv'), 'one\n'.repeat(1000))
  await writeFile(at('password'), 'a password')
  const repository = (name: string) => `{ url: ${name}, site: hq, media: disk, password: { file: ${at('password')} } }`
  await writeFile(
    at('holdfast.yaml'),
    `version: 1
name: acme
sites: { hq: {} }
repositories: { near: ${repository('near')}, far: ${repository('far')}, spare: ${repository('spare')} }
services:
  orders:
    { owner: Shop, tier: 1, site: hq, objectives: { rpo: 1h, rto: 1h }, data: { files: { paths: [${at('data')}] } }, backup: { to: [near, far] }, recovery: back }
  web: { owner: Shop, tier: 1, site: hq, objectives: { rpo: 1h, rto: 1h }, dependsOn: [orders], recovery: back }
plans:
  back:
    recovers: [orders, web]
    steps:
      - id: restore
        do: { files.restore: { target: ${at('back')}, ${named === undefined ? '' : `repository: ${named}, `}service: orders } }
        check: { shell: { run: [test, -s, ${at('back')}/orders.csv], effect: read-only } }
`,
  )
  const catalog = await loadRunCatalog(at('holdfast.yaml'))
  for (const name of ['near', 'far']) await (await createCatalogRepository(catalog, name))[Symbol.asyncDispose]()
  return {
    at,
    run: (...args: string[]) => holdfast(['--catalog', at('holdfast.yaml'), '--json', ...args]),
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  }
}
