import { ActivityFailed } from '../../types.ts'
import { clusterFunction } from './define.ts'
import { create, list, readManifest, remove } from './objects.ts'
import { name as required, optionalName, optionalText } from './parameters.ts'

const place = { resource: 'namespaces' } as const

export const createNamespace = clusterFunction(
  { name: optionalName, spec_path: optionalText },
  async ({ name, spec_path: path }, cluster) => {
    if (path === null && name === null) throw new ActivityFailed('neither name nor spec_path is given')
    const named = { apiVersion: 'v1', kind: 'Namespace', metadata: { name } }
    await create(cluster, place, path === null ? named : await readManifest(path))
    return null
  },
)

export const deleteNamespace = clusterFunction({ name: required }, async ({ name }, cluster) => {
  await remove(cluster, place, name)
  return null
})

export const namespaceExists = clusterFunction(
  { name: required },
  async ({ name }, cluster) => (await list(cluster, place, { name })).length > 0,
)
