import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { link, type Link } from './link.ts'
import type { Stream, Toxic } from './toxic.ts'

/** `host:port`; an IPv6 address in brackets. */
export function parseAddress(text: string): { host: string; port: number } | undefined {
  const [, v6, host, port] = /^(?:\[([^\]]+)\]|([^:]*)):(\d+)$/.exec(text) ?? []
  if (port === undefined || Number(port) > 65_535) return undefined
  return { host: v6 ?? (host === '' ? '0.0.0.0' : (host ?? '')), port: Number(port) }
}

/** Carries TCP connections to an upstream, through toxics. */
export interface Proxy {
  readonly name: string
  readonly upstream: string
  /** Where it listens; with port 0, the port that it got once it has listened. */
  readonly listen: string
  readonly enabled: boolean
  readonly toxics: readonly Toxic[]
  /** How many connections it carries. */
  readonly connections: number
  /** Listens. Throws the system's error when it cannot. */
  enable(): Promise<void>
  /** Refuses new connections, as a server that is down, and closes those that there are. */
  disable(): Promise<void>
  moveTo(listen: string, upstream: string): Promise<void>
  /** Applies to connections that there are, too. Whether one is hit is drawn for each toxic and connection. */
  set(toxics: readonly Toxic[]): void
}

interface Connection {
  readonly client: Socket
  readonly server: Socket
  readonly links: Readonly<Record<Stream, Link>>
  /** What was drawn for each toxic, 0 to 1. */
  readonly drawn: Map<string, number>
  readonly timers: Map<string, NodeJS.Timeout>
}

export function createProxy(name: string, listen: string, upstream: string): Proxy {
  let toxics: readonly Toxic[] = []
  let server: Server | undefined
  const connections = new Set<Connection>()

  function accept(client: Socket): void {
    const { host, port } = parseAddress(upstream) ?? { host: '', port: 0 }
    const far = connect({ host, port, allowHalfOpen: true, noDelay: true })
    const end = () => {
      client.destroy()
      far.destroy()
    }
    const drawn = new Map<string, number>()
    const first = (stream: Stream) => toxics.filter((toxic) => toxic.stream === stream && isHit(drawn, toxic))
    const links = {
      upstream: link(client, far, first('upstream'), end),
      downstream: link(far, client, first('downstream'), end),
    }
    const connection = { client, server: far, links, drawn, timers: new Map() }
    connections.add(connection)
    for (const socket of [client, far]) {
      socket.on('error', end)
      // One that closed in order has had all it gets: what the other still gets may be on its way.
      socket.once('close', () => {
        if (!client.closed || !far.closed) return
        connections.delete(connection)
        for (const timer of connection.timers.values()) clearTimeout(timer)
      })
    }
    apply(connection)
    apply(connection)
  }

  /** What ends a connection after a time does so for connections that there are, counted from now. */
  function apply({ client, server: far, links, drawn, timers }: Connection): void {
    const hit = toxics.filter((toxic) => isHit(drawn, toxic))
    for (const stream of ['upstream', 'downstream'] as const) links[stream].update(hit.filter((toxic) => toxic.stream === stream))
    for (const toxic of hit) {
      if (timers.has(toxic.name)) continue
      if (toxic.type === 'reset_peer') {
        const reset = () => [client, far].forEach((socket) => socket.resetAndDestroy())
        timers.set(toxic.name, setTimeout(reset, toxic.attributes.timeout))
      } else if (toxic.type === 'timeout' && toxic.attributes.timeout > 0) {
        timers.set(
          toxic.name,
          setTimeout(() => [client, far].forEach((socket) => socket.destroy()), toxic.attributes.timeout),
        )
      }
    }
    for (const [timed, timer] of timers) {
      if (hit.some(({ name }) => name === timed)) continue
      clearTimeout(timer)
      timers.delete(timed)
    }
  }

  const proxy = {
    name,
    get upstream() {
      return upstream
    },
    get listen() {
      return listen
    },
    get enabled() {
      return server !== undefined
    },
    get toxics() {
      return toxics
    },
    get connections() {
      return connections.size
    },
    async enable() {
      if (server !== undefined) return
      const opened = createServer({ allowHalfOpen: true, noDelay: true }, accept)
      const { host, port } = parseAddress(listen) ?? { host: '', port: 0 }
      opened.listen(port, host)
      await once(opened, 'listening')
      server = opened
      const { address, family, port: got } = opened.address() as AddressInfo
      listen = family === 'IPv6' ? `[${address}]:${got}` : `${address}:${got}`
    },
    async disable() {
      const closing = server
      server = undefined
      if (closing === undefined) return
      const closed = once(closing, 'close')
      closing.close()
      for (const { client, server: far } of connections) [client, far].forEach((socket) => socket.destroy())
      await closed
    },
    async moveTo(nextListen: string, nextUpstream: string) {
      if (nextListen === listen && nextUpstream === upstream) return
      const wasEnabled = server !== undefined
      await proxy.disable()
      listen = nextListen
      upstream = nextUpstream
      if (wasEnabled) await proxy.enable()
    },
    set(next: readonly Toxic[]) {
      // As Toxiproxy: what a timeout has swallowed cannot be made good, so its connections end with it.
      const ended = toxics.filter(({ type, name }) => type === 'timeout' && !next.some((toxic) => toxic.name === name))
      toxics = next
      for (const connection of connections) {
        if (ended.some((toxic) => isHit(connection.drawn, toxic))) connection.client.destroy()
        else apply(connection)
      }
    },
  }
  return proxy
}

function isHit(drawn: Map<string, number>, { name, toxicity }: Toxic): boolean {
  const draw = drawn.get(name) ?? Math.random()
  drawn.set(name, draw)
  return draw < toxicity
}
