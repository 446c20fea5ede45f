import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { delimiter, join, resolve } from 'node:path'
import { resolveSecret, Secret, type ClusterEntry, type SecretResolver } from '../../../../catalog/index.ts'
import { connect, type Connection } from '../../../../clusters/index.ts'
import { expandHome, HoldfastError, type Json } from '../../../../kernel/index.ts'
import { pythonText } from '../../substitute.ts'

export type Values = Readonly<Record<string, Json | undefined>>

/** Which cluster is meant, and how it is reached. */
export interface ClusterAccess {
  readonly entry: ClusterEntry
  readonly resolver: SecretResolver
}

/** Where a pod finds what its service account needs. */
const accountFolder = '/var/run/secrets/kubernetes.io/serviceaccount'

/** A connection to the cluster that the secrets of an activity and the environment name. */
export async function openCluster(secrets: Values, signal: AbortSignal): Promise<Connection> {
  const { entry, resolver } = await clusterAccess(secrets, process.env)
  return await connect(entry, resolver, signal)
}

/**
 * As chaostoolkit-kubernetes looks for it: a kubeconfig where KUBECONFIG says, or in ~/.kube/config; without that file the pod's own cluster where
 * CHAOSTOOLKIT_IN_POD is `true`, else KUBERNETES_HOST with what goes with it. What the secrets name counts before the environment. Unlike there,
 * KUBERNETES_VERIFY_SSL says nothing: a certificate is verified, unless the kubeconfig says `insecure-skip-tls-verify`.
 *
 * Throws `usage` for what is not understood, and `not-found` when nothing names a cluster.
 */
export async function clusterAccess(secrets: Values, env: Values, account = accountFolder): Promise<ClusterAccess> {
  const lookUp = (name: string): string | undefined => {
    const value = secrets[name] ?? env[name]
    return value === undefined || value === null ? undefined : pythonText(value)
  }
  const kubeconfig = expandHome(textOf(env.KUBECONFIG) ?? '~/.kube/config')
  if (existsSync(kubeconfig)) {
    const context = lookUp('KUBERNETES_CONTEXT')
    const name = context ?? kubeconfig
    const entry = { name, kubeconfig: { file: kubeconfig }, ...(context === undefined ? {} : { context }) }
    return { entry, resolver: { resolveSecret } }
  }
  if (kubeconfig.includes(delimiter)) {
    throw new HoldfastError('usage', {
      message: `KUBECONFIG names several files, which is not understood here: ${kubeconfig}`,
      hint: 'make one of them: kubectl config view --flatten',
    })
  }
  if (env.CHAOSTOOLKIT_IN_POD === 'true') return await accessInPod(env, account)
  const server = lookUp('KUBERNETES_HOST')
  if (server === undefined) {
    throw new HoldfastError('not-found', {
      message: `nothing names a cluster: there is no kubeconfig ${kubeconfig}, and KUBERNETES_HOST is not set`,
      hint: 'set KUBECONFIG to the path of a kubeconfig',
    })
  }
  return accessByValues(server, lookUp)
}

async function accessInPod(env: Values, account: string): Promise<ClusterAccess> {
  const host = textOf(env.KUBERNETES_SERVICE_HOST)
  const token = await readFile(join(account, 'token'), 'utf8').catch(() => undefined)
  if (host === undefined || token === undefined) {
    throw new HoldfastError('not-found', {
      message: `CHAOSTOOLKIT_IN_POD is set, but this is no pod: ${host === undefined ? 'KUBERNETES_SERVICE_HOST is not set' : `there is no ${account}/token`}`,
    })
  }
  const port = textOf(env.KUBERNETES_SERVICE_PORT) ?? '443'
  const server = `https://${host.includes(':') ? `[${host}]` : host}:${port}`
  return madeOf('of this pod', { server, 'certificate-authority': join(account, 'ca.crt') }, { token: token.trim() })
}

function accessByValues(server: string, lookUp: (name: string) => string | undefined): ClusterAccess {
  // The client sends nothing without TLS.
  if (!URL.canParse(server) || new URL(server).protocol !== 'https:') {
    throw new HoldfastError('usage', {
      message: `KUBERNETES_HOST is no address of https: ${server}`,
      hint: 'write it as https://HOST:PORT',
    })
  }
  const prefix = lookUp('KUBERNETES_API_KEY_PREFIX')
  if (prefix !== undefined && prefix !== 'Bearer') {
    throw new HoldfastError('usage', { message: `KUBERNETES_API_KEY_PREFIX is ${prefix}: only Bearer is understood here` })
  }
  const authority = lookUp('KUBERNETES_CA_CERT_FILE')
  const cluster = { server, ...(authority === undefined ? {} : { 'certificate-authority': resolve(authority) }) }
  const [token, certificate, username] = ['API_KEY', 'CERT_FILE', 'USERNAME'].map((name) => lookUp(`KUBERNETES_${name}`))
  if (token !== undefined) return madeOf('of KUBERNETES_HOST', cluster, { token })
  if (certificate !== undefined) {
    const key = lookUp('KUBERNETES_KEY_FILE')
    if (key === undefined) {
      throw new HoldfastError('usage', { message: 'KUBERNETES_CERT_FILE is set without KUBERNETES_KEY_FILE' })
    }
    return madeOf('of KUBERNETES_HOST', cluster, { 'client-certificate': resolve(certificate), 'client-key': resolve(key) })
  }
  const basic = username === undefined ? {} : { username, password: lookUp('KUBERNETES_PASSWORD') ?? '' }
  return madeOf('of KUBERNETES_HOST', cluster, basic)
}

/** A kubeconfig that is in no file. */
function madeOf(name: string, cluster: object, user: object): ClusterAccess {
  const document = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'given', cluster }],
    users: [{ name: 'given', user }],
    contexts: [{ name: 'given', context: { cluster: 'given', user: 'given' } }],
    'current-context': 'given',
  }
  const kubeconfig = { env: 'KUBERNETES_HOST' }
  const secret = new Secret(JSON.stringify(document), kubeconfig)
  return { entry: { name, kubeconfig }, resolver: { resolveSecret: async () => secret } }
}

function textOf(value: Json | undefined): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}
