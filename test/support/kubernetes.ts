import { spawn, type ChildProcess } from 'node:child_process'
import { generateKeyPairSync } from 'node:crypto'
import { once } from 'node:events'
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { KubeConfig } from '@kubernetes/client-node'
import { runProcess } from '../../src/kernel/index.ts'
import { freePort } from './free-port.ts'
import { until } from './until.ts'

/** A real control plane without nodes on the loopback: etcd, kube-apiserver with RBAC, and kube-controller-manager. */
export interface Kubernetes extends AsyncDisposable {
  readonly folder: string
  readonly port: number
  /** Of the API server. */
  readonly certificate: string
  readonly key: string
  /** A folder with a program `kubectl`. */
  readonly bin: string
  /** Writes a kubeconfig with the context `test`, and gives its path. `admin` may everything, `limited` what a role gives it. */
  kubeconfig(user: User, parts?: { readonly port?: number }): Promise<string>
  /** The same with a user and a cluster as a kubeconfig has them. */
  kubeconfigOf(name: string, user: object, cluster?: object): Promise<string>
  readonly config: (user: User) => KubeConfig
  /** The real kubectl, as admin. Throws when it fails. */
  kubectl(...args: string[]): Promise<string>
  /** The same with a manifest on its input. */
  apply(...objects: readonly object[]): Promise<void>
}

type User = 'admin' | 'limited' | 'nobody'

const controllers = [
  'deployment-controller',
  'replicaset-controller',
  'statefulset-controller',
  'garbage-collector-controller',
  'namespace-controller',
  'serviceaccount-controller',
]

/** Starts one of its own, in a few seconds. */
export async function startKubernetes(program: string): Promise<Kubernetes> {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-kubernetes-'))
  const [client, peer, port] = [await freePort(), await freePort(), await freePort()]
  const children: ChildProcess[] = []
  let log = ''
  const start = (name: string, options: Readonly<Record<string, string>>) => {
    const args = Object.entries(options).map(([option, value]) => `--${option}=${value}`)
    const child = spawn(program, [name, ...args], { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] })
    children.push(child)
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        log = (log + text).slice(-20_000)
      })
    }
  }
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  await writeFile(join(folder, 'accounts.key'), privateKey.export({ type: 'pkcs1', format: 'pem' }))
  await writeFile(join(folder, 'tokens.csv'), 'admin-token,admin,admin,system:masters\nlimited-token,limited,limited,\n')
  await writeFile(join(folder, 'kubectl'), `#!/bin/sh\nexec '${program}' kubectl "$@"\n`)
  await chmod(join(folder, 'kubectl'), 0o755)
  start('etcd', {
    'data-dir': 'etcd',
    'listen-client-urls': `http://127.0.0.1:${client}`,
    'advertise-client-urls': `http://127.0.0.1:${client}`,
    'listen-peer-urls': `http://127.0.0.1:${peer}`,
    'initial-advertise-peer-urls': `http://127.0.0.1:${peer}`,
    'initial-cluster': `default=http://127.0.0.1:${peer}`,
    'unsafe-no-fsync': 'true',
  })
  start('kube-apiserver', {
    'etcd-servers': `http://127.0.0.1:${client}`,
    'bind-address': '127.0.0.1',
    'advertise-address': '127.0.0.1',
    // What it would tell the cluster's nodes of itself may not be a loopback address.
    'endpoint-reconciler-type': 'none',
    'secure-port': String(port),
    'cert-dir': 'certs',
    'service-account-issuer': 'https://kubernetes.default.svc',
    'service-account-key-file': 'accounts.key',
    'service-account-signing-key-file': 'accounts.key',
    'authorization-mode': 'RBAC',
    'token-auth-file': 'tokens.csv',
    'service-cluster-ip-range': '10.0.0.0/24',
  })
  const document = (user: object, cluster: object = {}) =>
    JSON.stringify({
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [
        {
          name: 'test',
          cluster: { server: `https://127.0.0.1:${port}`, 'certificate-authority': 'certs/apiserver.crt', ...cluster },
        },
      ],
      users: [{ name: 'user', user }],
      contexts: [{ name: 'test', context: { cluster: 'test', user: 'user' } }],
      'current-context': 'test',
    })
  const tokenOf = (user: User) => ({ token: `${user}-token` })
  const kubeconfigOf: Kubernetes['kubeconfigOf'] = async (name, user, cluster) => {
    const path = join(folder, `${name}.kubeconfig`)
    await writeFile(path, document(user, cluster))
    return path
  }
  const kubeconfig: Kubernetes['kubeconfig'] = (user, { port: at = port } = {}) =>
    kubeconfigOf(`${user}-${at}`, tokenOf(user), { server: `https://127.0.0.1:${at}` })
  const env = { PATH: process.env.PATH, HOME: folder, KUBECONFIG: await kubeconfig('admin') }
  const run = async (args: readonly string[], input = '') => {
    const { exitCode, stdout, stderr } = await runProcess(program, ['kubectl', ...args], { env, input, cwd: folder })
    if (exitCode !== 0) throw new Error(`kubectl ${args.join(' ')} ended with ${exitCode}: ${stderr}`)
    return stdout.trimEnd()
  }
  const stop = async () => {
    for (const child of children.toReversed()) {
      if (child.exitCode !== null || child.signalCode !== null) continue
      child.kill('SIGKILL')
      await once(child, 'exit')
    }
    await rm(folder, { recursive: true, force: true })
  }
  try {
    await until(
      'the API server is ready',
      () => run(['get', '--raw', '/readyz']).catch(String),
      (said) => said === 'ok',
    )
    start('kube-controller-manager', {
      kubeconfig: env.KUBECONFIG,
      controllers: controllers.join(','),
      'leader-elect': 'false',
      'secure-port': '0',
      'use-service-account-credentials': 'false',
    })
    await until(
      'accounts',
      () => run(['get', 'serviceaccounts', 'default']).catch(String),
      (said) => said.startsWith('NAME'),
    )
  } catch (error) {
    await stop()
    throw new Error(`Kubernetes did not start: ${log}`, { cause: error })
  }
  return {
    folder,
    port,
    bin: folder,
    certificate: await readFile(join(folder, 'certs/apiserver.crt'), 'utf8'),
    key: await readFile(join(folder, 'certs/apiserver.key'), 'utf8'),
    kubeconfig,
    kubeconfigOf,
    config(user) {
      const config = new KubeConfig()
      config.loadFromString(document(tokenOf(user)))
      config.makePathsAbsolute(folder)
      return config
    },
    kubectl: (...args) => run(args),
    async apply(...objects) {
      await run(['apply', '--filename=-'], JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects }))
    },
    [Symbol.asyncDispose]: stop,
  }
}
