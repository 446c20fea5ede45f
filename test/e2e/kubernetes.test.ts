import { copyFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { stringify } from 'yaml'
import type { PlanOutcome } from '../../src/recovery/index.ts'
import { holdfast, repositoryIn, temporaryFolder } from '../support/holdfast.ts'
import { deployment } from '../support/kubernetes-objects.ts'
import { startKubernetesWorld, type KubernetesWorld } from '../support/kubernetes-world.ts'
import { describeWith } from '../support/peers.ts'
import { until } from '../support/until.ts'

let world: KubernetesWorld

const query = (...args: string[]) => world.kubernetes.kubectl(...args)
/** A new one for each test. */
let namespace = ''
let tests = 0
const at = () => ({ cluster: 'dr', namespace })
const settings = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'settings' }, data: { site: 'west' } }

/** A shop that is prepared in another cluster, and the plan that starts it there; `more` steps come last. */
async function shopIn(folder: string, more: readonly object[], cluster: object = {}) {
  const id = await query('get', 'namespace', 'kube-system', '--output=jsonpath={.metadata.uid}')
  await copyFile(join(world.kubernetes.folder, 'certs/apiserver.crt'), join(folder, 'ca.crt'))
  const config = world.kubernetes.config('admin')
  const [known] = config.getClusters()
  await writeFile(
    join(folder, 'dr.kubeconfig'),
    stringify({
      clusters: [{ name: 'test', cluster: { server: known?.server, 'certificate-authority': 'ca.crt' } }],
      users: [{ name: 'admin', user: { token: 'admin-token' } }],
      contexts: [{ name: 'dr-west', context: { cluster: 'test', user: 'admin' } }],
    }),
  )
  const catalog = join(folder, 'holdfast.yaml')
  const steps = [
    { id: 'configure', do: { 'kubernetes.apply': { ...at(), objects: [settings], force: true } } },
    { id: 'start', do: { 'kubernetes.scale': { ...at(), deployment: 'web', replicas: 2 } }, after: ['configure'] },
    { id: 'up', do: { 'kubernetes.wait': { ...at(), kind: 'Deployment', name: 'web', until: 'available' } }, after: ['start'] },
    ...more,
  ]
  await writeFile(
    catalog,
    stringify({
      version: 1,
      name: 'shops',
      sites: { east: {}, west: {} },
      repositories: { local: { url: './repository', site: 'west', media: 'disk', password: { file: './password' } } },
      clusters: { dr: { kubeconfig: { file: './dr.kubeconfig' }, context: 'dr-west', id, site: 'west', ...cluster } },
      services: { shop: { owner: 'Tests', site: 'east', objectives: { rpo: '1h', rto: '1h' }, recovery: 'west' } },
      plans: { west: { recovers: ['shop'], steps } },
    }),
  )
  await repositoryIn(folder)
  return {
    run: (...args: string[]) => holdfast(['--catalog', catalog, ...args]),
    state: () =>
      query(
        'get',
        'deployment/web',
        `--namespace=${namespace}`,
        '--output=jsonpath={.spec.replicas} {.status.availableReplicas}',
      ),
    site: () => query('get', 'configmap/settings', `--namespace=${namespace}`, '--output=jsonpath={.data.site}'),
  }
}

describeWith('kubernetes', 'a plan that starts a service on another cluster', (program) => {
  beforeAll(async () => {
    world = await startKubernetesWorld(program)
  })
  beforeEach(async () => {
    world.calm()
    namespace = `shop-${++tests}`
    await query('create', 'namespace', namespace)
    const before = { ...settings, metadata: { name: 'settings', namespace }, data: { site: 'none' } }
    await world.kubernetes.apply(deployment('web', { replicas: 0, namespace }), before)
  })
  afterAll(() => world[Symbol.asyncDispose]())

  test('from a dry run that changes nothing to the service that runs', async () => {
    await using folder = await temporaryFolder('kubernetes')
    const shop = await shopIn(folder.path, [])
    const valid = await shop.run('validate')
    expect(valid.exitCode, valid.stderr).toBe(0)
    const dry = await shop.run('recover', 'shop', '--dry-run')
    expect(dry.exitCode, dry.stdout + dry.stderr).toBe(0)
    expect(dry.stdout).toContain(`kubectl --context dr-west --namespace ${namespace} scale deployment/web`)
    expect(await shop.state()).toBe('0')
    const recovered = await shop.run('--json', 'recover', 'shop', '--yes')
    expect(recovered.exitCode, recovered.stdout + recovered.stderr).toBe(0)
    expect(recovered.json<{ result: PlanOutcome }>().result.status).toBe('succeeded')
    expect(await shop.state()).toBe('2 2')
    expect(await shop.site()).toBe('west')
    const runbook = await shop.run('runbook', 'shop')
    expect(runbook.stdout).toContain('export KUBECONFIG=dr.kubeconfig')
  })

  test('a later step that fails brings the cluster back to what it was', async () => {
    await using folder = await temporaryFolder('kubernetes')
    const shop = await shopIn(folder.path, [{ id: 'last', do: { shell: { run: 'false' } }, after: ['up'] }])
    const failed = await shop.run('--json', 'recover', 'shop', '--yes')
    expect(failed.exitCode).toBe(1)
    expect(await shop.state()).toBe('0')
    expect(await shop.site()).toBe('none')
  })

  test('killed while it waits for pods, it goes on behind what was done', async () => {
    await using folder = await temporaryFolder('kubernetes')
    const shop = await shopIn(folder.path, [])
    world.kubelet.holdsUp = () => true
    let child: { kill: (signal: NodeJS.Signals) => void } | undefined
    const killed = holdfast(['--catalog', join(folder.path, 'holdfast.yaml'), '--json', 'recover', 'shop', '--yes'], {
      onStart: (started) => (child = started),
    })
    await until('it has scaled', shop.state, (state) => state.startsWith('2'))
    child?.kill('SIGKILL')
    await killed
    world.calm()
    const resumed = await shop.run('--json', 'run', 'resume')
    expect(resumed.exitCode, resumed.stdout + resumed.stderr).toBe(0)
    expect(await shop.state()).toBe('2 2')
    expect(await shop.site()).toBe('west')
  })

  test('a kubeconfig that leads to another cluster than the catalog says stops it before anything is done', async () => {
    await using folder = await temporaryFolder('kubernetes')
    const shop = await shopIn(folder.path, [], { id: '00000000-0000-4000-8000-000000000000' })
    const refused = await shop.run('recover', 'shop', '--yes')
    expect(refused.exitCode).toBe(1)
    expect(refused.stdout + refused.stderr).toContain('correct clusters.dr in the catalog')
    expect(await shop.site()).toBe('none')
  })

  test('a cluster that the catalog does not have is a finding of validate', async () => {
    await using folder = await temporaryFolder('kubernetes')
    const shop = await shopIn(folder.path, [
      { id: 'x', do: { 'kubernetes.scale': { ...at(), cluster: 'west', deployment: 'web', replicas: 1 } } },
    ])
    const { exitCode, stdout, stderr } = await shop.run('validate')
    expect(exitCode).toBe(2)
    expect(stdout + stderr).toContain("names the cluster 'west', which does not exist")
  })
})
