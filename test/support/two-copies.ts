import { createCatalogRepository, loadRunCatalog } from '../../src/service/index.ts'
import { ordersFolder } from './orders-folder.ts'

/**
 * Files, backed up to two of three repositories, `near` and `far`, and a service without data that the same plan brings back. The step that restores
 * them names the repository, or none.
 */
export async function twoCopies(named: 'far' | undefined) {
  const orders = await ordersFolder(
    'two-copies',
    ({ at, repository }) => `version: 1
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
  const catalog = await loadRunCatalog(orders.at('holdfast.yaml'))
  for (const name of ['near', 'far']) await (await createCatalogRepository(catalog, name))[Symbol.asyncDispose]()
  return orders
}
