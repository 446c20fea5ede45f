import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { clusterAccess, type Values } from './access.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'holdfast-access-'))
  await writeFile(join(folder, 'config'), 'a kubeconfig')
  await writeFile(join(folder, 'token'), 'of-the-account\n')
})
afterAll(() => rm(folder, { recursive: true, force: true }))

const never = new AbortController().signal
const host = 'https://cluster.example:6443'

/** The only cluster and user of the kubeconfig that is made of values. */
async function made(secrets: Values, env: Values): Promise<Readonly<Record<string, unknown>>> {
  const { entry, resolver } = await clusterAccess(secrets, { KUBECONFIG: join(folder, 'none'), ...env }, folder)
  const text = (await resolver.resolveSecret(entry.kubeconfig, never)).reveal()
  const { clusters, users } = JSON.parse(text) as { clusters: [{ cluster: object }]; users: [{ user: object }] }
  return { ...clusters[0].cluster, ...users[0].user }
}

test('a kubeconfig counts before all else, and the context of the secrets before that of the environment', async () => {
  const env = { KUBECONFIG: join(folder, 'config'), KUBERNETES_HOST: host, KUBERNETES_CONTEXT: 'staging' }
  const kubeconfig = { file: join(folder, 'config') }
  expect((await clusterAccess({}, env)).entry).toEqual({ name: 'staging', context: 'staging', kubeconfig })
  expect((await clusterAccess({ KUBERNETES_CONTEXT: 'prod' }, env)).entry).toMatchObject({ context: 'prod', kubeconfig })
  expect((await clusterAccess({}, { KUBECONFIG: env.KUBECONFIG })).entry).toEqual({ name: kubeconfig.file, kubeconfig })
})

test.each<[string, Values, object]>([
  ['a token', { KUBERNETES_API_KEY: 'k', KUBERNETES_API_KEY_PREFIX: 'Bearer' }, { token: 'k' }],
  [
    'a certificate',
    { KUBERNETES_CERT_FILE: '/c.crt', KUBERNETES_KEY_FILE: '/c.key', KUBERNETES_CA_CERT_FILE: '/ca.crt' },
    { 'client-certificate': '/c.crt', 'client-key': '/c.key', 'certificate-authority': '/ca.crt' },
  ],
  ['a password', { KUBERNETES_USERNAME: 'u' }, { username: 'u', password: '' }],
  ['nothing', {}, {}],
])('an address goes with %s', async (_, values, expected) => {
  expect(await made({ ...values, KUBERNETES_HOST: host }, { KUBERNETES_HOST: 'https://other.example' })).toEqual({
    server: host,
    ...expected,
  })
  expect(await made({}, { ...values, KUBERNETES_HOST: host })).toEqual({ server: host, ...expected })
})

test('a pod asks its own cluster when it is told that it is one', async () => {
  const env = { CHAOSTOOLKIT_IN_POD: 'true', KUBERNETES_SERVICE_HOST: 'fd00::1', KUBERNETES_SERVICE_PORT: '6443' }
  const expected = { server: 'https://[fd00::1]:6443', token: 'of-the-account', 'certificate-authority': join(folder, 'ca.crt') }
  expect(await made({}, env)).toEqual(expected)
  await expect(made({}, { CHAOSTOOLKIT_IN_POD: 'true' })).rejects.toMatchObject({
    code: 'not-found',
    message: expect.stringContaining('this is no pod: KUBERNETES_SERVICE_HOST is not set') as string,
  })
})

test.each<[Values, string, string]>([
  [{}, 'not-found', 'nothing names a cluster'],
  [{ KUBECONFIG: '/a:/b' }, 'usage', 'KUBECONFIG names several files'],
  [{ KUBERNETES_HOST: 'cluster.example' }, 'usage', 'KUBERNETES_HOST is no address'],
  [{ KUBERNETES_HOST: 'http://cluster.example:8080' }, 'usage', 'KUBERNETES_HOST is no address of https: http://cluster'],
  [{ KUBERNETES_HOST: 'https://' }, 'usage', 'KUBERNETES_HOST is no address'],
  [{ KUBERNETES_HOST: host, KUBERNETES_API_KEY_PREFIX: 'Token' }, 'usage', 'only Bearer'],
  [{ KUBERNETES_HOST: host, KUBERNETES_CERT_FILE: '/c.crt' }, 'usage', 'without KUBERNETES_KEY_FILE'],
])('%j names no cluster', async (env, code, message) => {
  await expect(made({}, env)).rejects.toMatchObject({ code, message: expect.stringContaining(message) as string })
})
