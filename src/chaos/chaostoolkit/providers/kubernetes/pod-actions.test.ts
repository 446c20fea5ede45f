import { expect, test } from 'vitest'
import type { ApiRequest, Connection } from '../../../../clusters/index.ts'
import { HoldfastError, type Json } from '../../../../kernel/index.ts'
import { terminatePods } from './pod-actions.ts'

const never = new AbortController().signal
const answers = (status: number) => new HoldfastError('command-failed', { message: `status ${status}`, details: { status } })
const noSuchPod = new HoldfastError('not-found', { message: 'no such pod', details: { status: 404 } })
const noAnswer = new HoldfastError('outcome-unknown', { message: 'nobody knows' })
const pod = (name: string, uid = `uid of ${name}`) => ({ metadata: { name, namespace: 'shop', uid } })

/** A cluster between whose answers pods come and go, as no real one can be made to at that very moment. */
function clusterWith(atDelete: Readonly<Record<string, HoldfastError>>, later: Readonly<Record<string, object>>) {
  const last = (path: string) => path.split('/').at(-1) ?? ''
  async function send({ method, path }: ApiRequest): Promise<Json> {
    const name = last(path)
    if (name === 'pods') return { items: Object.keys(atDelete).map((each) => pod(each)) }
    if (method === 'GET') return (later[name] as Json | undefined) ?? Promise.reject(noSuchPod)
    throw atDelete[name] ?? new Error(`nothing is known of ${method} ${path}`)
  }
  const cluster: Connection = { server: '', send, text: async () => '', [Symbol.asyncDispose]: async () => {} }
  return terminatePods.play({ all: true, ns: 'shop' }, async () => cluster, never)
}

test('a pod that has gone by itself, or whose name another has by now, was not told to end', async () => {
  const played = await clusterWith({ gone: noSuchPod, again: answers(409), cut: noAnswer }, { again: pod('again', 'another') })
  // Whoever gave no answer was heeded: the pod is not there.
  expect(played).toEqual({ output: ['cut'], acted: 1 })
  expect(await clusterWith({ gone: noSuchPod }, {})).toEqual({ output: [], acted: 0 })
})

test('a pod that lives although it was told, as far as anyone knows, is no success', async () => {
  await expect(clusterWith({ cut: noAnswer }, { cut: pod('cut') })).rejects.toThrow('pod cut lives')
  await expect(clusterWith({ held: answers(409) }, { held: pod('held') })).rejects.toThrow('status 409')
})
