import { createServer } from 'node:https'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import type { Kubernetes } from './kubernetes.ts'

/** What a kubelet was asked for logs of: `shop/web-0/app?timestamps=true`. */
export interface KubeletLogs extends AsyncDisposable {
  readonly asked: string[]
  /** What the status of its node must say for the API server to find it. */
  readonly status: object
}

/**
 * Answers the API server as the kubelet of a node does when it is asked for the logs of a container (`/containerLogs/NAMESPACE/POD/CONTAINER`).
 */
export async function serveLogs(
  { certificate, key }: Pick<Kubernetes, 'certificate' | 'key'>,
  textOf: (container: string) => string,
): Promise<KubeletLogs> {
  const asked: string[] = []
  const server = createServer({ cert: certificate, key }, (request, response) => {
    const [, container = ''] = /^\/containerLogs\/(.*)$/.exec(request.url ?? '') ?? []
    asked.push(container)
    response.writeHead(200, { 'Content-Type': 'text/plain' }).end(textOf(container))
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const { port } = server.address() as AddressInfo
  return {
    asked,
    status: {
      addresses: [{ type: 'InternalIP', address: '127.0.0.1' }],
      daemonEndpoints: { kubeletEndpoint: { Port: port } },
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}
