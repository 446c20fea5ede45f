import { proxyBefore, type Proxy } from './tcp-proxy.ts'

export interface CuttingProxy extends Proxy {
  /** What happens at the next COMMIT: it is lost on its way, or its answer is, after `meanwhile`. Afterwards all passes again. */
  cutAtCommit(what: 'request' | 'answer', meanwhile?: () => Promise<void>): void
}

/** A proxy before a PostgreSQL server on the loopback that cuts connections where nobody can know what became of a transaction. */
export async function cuttingProxy(serverPort: number): Promise<CuttingProxy> {
  let cut: { readonly what: 'request' | 'answer'; readonly meanwhile: () => Promise<void> } | undefined
  const proxy = await proxyBefore(serverPort, (client, onward) => {
    const server = onward()
    let isCutting = false
    client.on('data', (bytes) => {
      const text = bytes.toString('latin1')
      if (cut === undefined || !text.startsWith('Q') || !/^commit\0/i.test(text.slice(5))) {
        server.write(bytes)
        return
      }
      const { what, meanwhile } = cut
      cut = undefined
      isCutting = true
      if (what === 'request') {
        server.destroy()
        return
      }
      server.write(bytes)
      // The answer has come when the server has spoken.
      server.once('data', () => void meanwhile().finally(() => client.destroy()))
    })
    server.on('data', (bytes) => {
      if (!isCutting) client.write(bytes)
    })
  })
  return {
    ...proxy,
    cutAtCommit(what, meanwhile = async () => {}) {
      cut = { what, meanwhile }
    },
  }
}
