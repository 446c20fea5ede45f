import { createHash } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { actions } from '../../src/actions/index.ts'
import type { Catalog } from '../../src/catalog/index.ts'
import { runProcess } from '../../src/kernel/index.ts'
import { startKubelet, type Kubelet } from '../support/kubelet.ts'
import { clusterCatalog } from '../support/kubernetes-actions.ts'
import { configMap, deployment, statefulSet } from '../support/kubernetes-objects.ts'
import { startKubernetes, type Kubernetes } from '../support/kubernetes.ts'
import { describeWith } from '../support/peers.ts'

let kubernetes: Kubernetes
let kubelet: Kubelet
let catalog: Catalog

function bound(kind: string, params: object) {
  const action = actions.find((candidate) => candidate.kind === kind)
  if (action === undefined) throw new Error(`there is no ${kind}`)
  return action.bind({ cluster: 'dr', namespace: 'default', ...params })
}

/** As a person would type them, one after the other, in a shell that stops at the first that fails. */
async function byHand(lines: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<string> {
  const { exitCode, stdout, stderr } = await runProcess('sh', ['-euc', lines.join('\n')], {
    cwd: kubernetes.folder,
    env: { PATH: `${kubernetes.bin}:${process.env.PATH}`, HOME: kubernetes.folder, ...env },
  })
  expect(exitCode, `${lines.join('\n')}\n${stdout}${stderr}`).toBe(0)
  return stdout
}

const query = (...args: string[]) => kubernetes.kubectl(...args)

describeWith('kubernetes', 'the commands of the runbook, with the real kubectl against a real control plane', (program) => {
  beforeAll(async () => {
    kubernetes = await startKubernetes(program)
    kubelet = await startKubelet(kubernetes)
    catalog = await clusterCatalog(kubernetes)
  })
  afterAll(async () => {
    await kubelet[Symbol.asyncDispose]()
    await kubernetes[Symbol.asyncDispose]()
  })

  test('scale, and set back what was written down', async () => {
    await kubernetes.apply(deployment('web', { replicas: 2 }))
    const step = bound('kubernetes.scale', { deployment: 'web', replicas: 0 })
    const [before = ''] = (await byHand(step.manual(catalog))).split('\n')
    expect(before).toBe('2')
    expect(await query('get', 'deployment/web', '--output=jsonpath={.spec.replicas}')).toBe('0')
    const undo = step.manualUndo(catalog).map((line) => line.replaceAll('OLD_REPLICAS', before))
    expect(await byHand(undo)).toMatch(/web\s+2\/2/)
  })

  test('roll a new image out, and go back', async () => {
    await kubernetes.apply(deployment('api', { image: 'example.com/api:1' }))
    const step = bound('kubernetes.rollout', { deployment: 'api', images: { main: 'example.com/api:2' } })
    expect(await byHand(step.manual(catalog))).toContain('successfully rolled out')
    const image = () => query('get', 'deployment/api', '--output=jsonpath={.spec.template.spec.containers[0].image}')
    expect(await image()).toBe('example.com/api:2')
    await byHand(step.manualUndo(catalog))
    expect(await image()).toBe('example.com/api:1')
  })

  test('restart a stateful set', async () => {
    await kubernetes.apply(statefulSet('db'))
    await query('rollout', 'status', 'statefulset/db')
    const uid = () => query('get', 'pod/db-0', '--output=jsonpath={.metadata.uid}')
    const before = await uid()
    await byHand(bound('kubernetes.rollout', { statefulSet: 'db', restart: true }).manual(catalog))
    expect(await uid()).not.toBe(before)
  })

  test('apply a manifest, and put back what was there', async () => {
    const settings = (mode: string) => configMap('settings', { mode })
    await kubernetes.apply(settings('normal'))
    const objects = [settings("disaster; it's so"), configMap('more', {})]
    const step = bound('kubernetes.apply', { objects, force: true })
    await byHand(step.manual(catalog))
    const mode = () => query('get', 'configmap/settings', '--output=jsonpath={.data.mode}')
    expect(await mode()).toBe("disaster; it's so")
    expect(await query('get', 'configmap/more', '--output=name')).toBe('configmap/more')
    const undo = step.manualUndo(catalog)
    expect(undo.at(-1)).toContain('of configmap/settings, configmap/more')
    await byHand(undo)
    expect(await mode()).toBe('normal')

    const path = join(kubernetes.folder, 'new.yaml')
    await writeFile(path, JSON.stringify(configMap('from-file', { a: '1' })))
    const sha256 = createHash('sha256')
      .update(await readFile(path))
      .digest('hex')
    const created = bound('kubernetes.apply', { manifest: path, sha256 })
    await byHand([...created.manual(catalog), ...created.manualUndo(catalog)])
    expect(await query('get', 'configmap/from-file', '--output=jsonpath={.data.a}')).toBe('1')
  })

  test('delete an ingress, and create it again from the file that was kept', async () => {
    await query('create', 'ingress', 'shop', '--rule=shop.example.com/*=web:80')
    const spec = () => query('get', 'ingress/shop', '--output=jsonpath={.spec}')
    const before = await spec()
    const step = bound('kubernetes.delete', { kind: 'Ingress', name: 'shop' })
    await byHand(step.manual(catalog))
    expect(await query('get', 'ingress', '--output=name')).toBe('')
    await byHand(step.manualUndo(catalog))
    expect(await spec()).toBe(before)
    expect(bound('kubernetes.delete', { kind: 'Secret', name: 'x' }).manualUndo(catalog)).toEqual([])
  })

  test('wait for a deployment, for a condition, and for something to be gone', async () => {
    await kubernetes.apply(deployment('waited', { replicas: 2 }))
    const waiting = (parts: object) =>
      byHand(bound('kubernetes.wait', { kind: 'Deployment', name: 'waited', ...parts }).manual(catalog))
    expect(await waiting({ until: 'available' })).toContain('successfully rolled out')
    expect(await waiting({ until: { condition: 'Available' } })).toContain('condition met')
    await query('delete', 'deployment/waited', '--wait=false')
    await waiting({ until: 'deleted' })
    expect(await query('get', 'deployment/waited', '--ignore-not-found')).toBe('')
  })

  test('a kubeconfig that a variable or a command holds is used as one; another cluster ends the shell before anything is changed', async () => {
    const { dr } = catalog.clusters
    if (dr === undefined || !('file' in dr.kubeconfig)) throw new Error('there is no dr')
    const at = (parts: object) => ({ ...catalog, clusters: { dr: { ...dr, ...parts } } })
    const step = bound('kubernetes.scale', { deployment: 'web', replicas: 1 })
    const absolute = JSON.parse(kubernetes.config('admin').exportConfig()) as object
    await writeFile(join(kubernetes.folder, 'exported.kubeconfig'), JSON.stringify(absolute))
    await byHand(step.manual(at({ kubeconfig: { command: ['cat', 'exported.kubeconfig'] } })))
    await byHand(step.manual(at({ kubeconfig: { env: 'DR_KUBECONFIG' } })), { DR_KUBECONFIG: JSON.stringify(absolute) })
    expect(await query('get', 'deployment/web', '--output=jsonpath={.spec.replicas}')).toBe('1')
    const lines = bound('kubernetes.scale', { deployment: 'web', replicas: 3 }).manual(
      at({ id: '00000000-0000-4000-8000-000000000000' }),
    )
    await expect(byHand(lines)).rejects.toThrow()
    expect(await query('get', 'deployment/web', '--output=jsonpath={.spec.replicas}')).toBe('1')
  })
})
