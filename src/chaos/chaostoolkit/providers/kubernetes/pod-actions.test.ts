import { expect, test } from 'vitest'
import type { ApiRequest, Connection } from '../../../../clusters/index.ts'
import { HoldfastError, type Json } from '../../../../kernel/index.ts'
import { drainNodes } from './node-drain.ts'
import { terminatePods } from './pod-actions.ts'

const never = new AbortController().signal
const answers = (status: number) => new HoldfastError('command-failed', { message: `status ${status}`, details: { status } })
const noSuchPod = new HoldfastError('not-found', { message: 'no such pod', details: { status: 404 } })
const noAnswer = new HoldfastError('outcome-unknown', { message: 'whether it was done is not known: the cluster failed (500)' })
const pod = (name: string, uid = `uid of ${name}`, more = {}) => ({ metadata: { name, namespace: 'shop', uid, ...more } })

function connectionOf(send: (asked: ApiRequest) => Promise<Json>): Connection {
  return { server: '', send, text: async () => '', [Symbol.asyncDispose]: async () => {} }
}

/** A cluster between whose answers pods come and go, as no real one can be made to at that very moment. */
function clusterWith(atDelete: Readonly<Record<string, HoldfastError>>, later: Readonly<Record<string, object>>) {
  const last = (path: string) => path.split('/').at(-1) ?? ''
  async function send({ method, path }: ApiRequest): Promise<Json> {
    const name = last(path)
    if (name === 'pods') return { items: Object.keys(atDelete).map((each) => pod(each)) }
    if (method === 'GET') return (later[name] as Json | undefined) ?? Promise.reject(noSuchPod)
    throw atDelete[name] ?? new Error(`nothing is known of ${method} ${path}`)
  }
  return terminatePods.play({ all: true, ns: 'shop' }, async () => connectionOf(send), never)
}

test('a pod that has gone by itself, or whose name another has by now, was not told to end', async () => {
  const played = await clusterWith({ gone: noSuchPod, again: answers(409), cut: noAnswer }, { again: pod('again', 'another') })
  // Whoever gave no answer was heeded: the pod is not there.
  expect(played).toEqual({ output: ['cut'], acted: 1 })
  expect(await clusterWith({ gone: noSuchPod }, {})).toEqual({ output: [], acted: 0 })
})

test('a pod that lives although it was told, as far as anyone knows, is no success', async () => {
  await expect(clusterWith({ cut: noAnswer }, { cut: pod('cut') })).rejects.toThrow(
    'pod cut lives: whether it was done is not known: the cluster failed (500)',
  )
  await expect(clusterWith({ held: answers(409) }, { held: pod('held') })).rejects.toThrow('status 409')
})

test('only a pod that lived when it was chosen counts as one that was ended', async () => {
  const leaving = pod('leaving', 'a', { deletionTimestamp: '2026-11-28T08:00:00Z' })
  const over = (phase: string) => ({ ...pod(phase), status: { phase } })
  const end = async (items: readonly object[]) => {
    const cluster = connectionOf(async ({ method }) => (method === 'GET' ? { items: items as Json[] } : {}))
    return await terminatePods.play({ all: true, ns: 'shop' }, async () => cluster, never)
  }
  const ended = [leaving, over('Succeeded'), over('Failed')]
  expect(await end(ended)).toEqual({ output: ['leaving', 'Succeeded', 'Failed'], acted: 0 })
  expect(await end([...ended, over('Running')])).toMatchObject({ acted: 1 })
})

test('a pod that stays on a drained node is named with what the server said of its eviction', async () => {
  const moved = pod('web', 'a', { ownerReferences: [{ kind: 'ReplicaSet', controller: true }] })
  const cluster = connectionOf(async ({ method, path }) => {
    if (method === 'POST') throw noAnswer
    return { items: [path.endsWith('/nodes') ? { metadata: { name: 'edge', uid: 'n' } } : moved] as Json[] }
  })
  await expect(drainNodes.play({ name: 'edge', timeout: 0 }, async () => cluster, never)).rejects.toThrow(
    `still on edge: web (${noAnswer.message})`,
  )
})
