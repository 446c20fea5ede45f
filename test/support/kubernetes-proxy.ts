import { once } from 'node:events'
import { createServer, request, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { Kubernetes } from './kubernetes.ts'

export interface KubernetesProxy extends AsyncDisposable {
  readonly port: number
  /** `PATCH /apis/apps/v1/namespaces/shop/deployments/web?…`, in the order in which they came. */
  readonly calls: string[]
  /** What happens to a call: it is lost on its way, its answer is; or nothing, after `meanwhile`. */
  rule: (call: string) => Disturbance | undefined
}

export interface Disturbance {
  readonly loses?: 'request' | 'answer'
  readonly meanwhile?: () => Promise<unknown>
}

/** Before the API server, with its certificate: it can lose what nobody can then know of. */
export async function kubernetesProxy({ port, certificate, key }: Kubernetes): Promise<KubernetesProxy> {
  const calls: string[] = []
  const proxy = { calls, rule: () => undefined } as Pick<KubernetesProxy, 'calls' | 'rule'>
  const server: Server = createServer({ key, cert: certificate }, (from, to) => {
    const forward = async () => {
      const call = `${from.method} ${from.url}`
      calls.push(call)
      const { loses, meanwhile } = proxy.rule(call) ?? {}
      const body = Buffer.concat(await from.toArray())
      await meanwhile?.()
      if (loses === 'request') {
        from.socket.destroy()
        return
      }
      const { url: path = '/', method = 'GET', headers } = from
      const onward = request({ host: '127.0.0.1', port, path, method, headers, ca: certificate, agent: false }, (answer) => {
        if (loses === 'answer') answer.resume().on('end', () => from.socket.destroy())
        else answer.pipe(to.writeHead(answer.statusCode ?? 502, answer.headers))
      })
      onward.on('error', () => from.socket.destroy()).end(body)
    }
    forward().catch(() => from.socket.destroy())
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return Object.assign(proxy, {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  })
}
