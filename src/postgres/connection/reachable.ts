import { lookup } from 'node:dns/promises'
import { connect, type Socket } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { parseConnectionUrl } from './location.ts'

/** A machine that is there answers in a round trip, however busy its programs are. */
const usualMs = 2000
/** A packet may be lost: TCP itself would ask again after 1 s and after 3 s only. */
const attempts = 8
/** For names. */
const lookupMs = 5000
const defaultPort = 5432

/**
 * Whether anything accepts a connection where a URL leads: within `withinMs` (2 s), asked eight times, or nobody is there. True for what has no address to be asked at, a
 * socket folder or several hosts: then connecting itself must tell. A refusal is false at once. Throws only the signal's reason.
 */
export async function isReachable(
  url: string,
  { withinMs = usualMs }: { readonly withinMs?: number | undefined } = {},
  signal?: AbortSignal,
): Promise<boolean> {
  const parsed = parseConnectionUrl(url)
  const host = parsed?.searchParams.get('host') ?? decodeURIComponent(parsed?.hostname ?? '')
  if (host === '' || /[/,]/.test(host)) return true
  const port = Number(parsed?.searchParams.get('port') ?? (parsed?.port || defaultPort))
  const name = host.replace(/^\[(.*)\]$/, '$1')
  const address = await Promise.race([lookup(name).catch(() => undefined), pause(lookupMs, undefined, { ref: false })])
  signal?.throwIfAborted()
  if (address === undefined) return false
  const accepted = await anyAccepts(name, port, withinMs, signal)
  signal?.throwIfAborted()
  return accepted
}

async function anyAccepts(host: string, port: number, withinMs: number, signal: AbortSignal | undefined): Promise<boolean> {
  const sockets: Socket[] = []
  const { promise, resolve } = Promise.withResolvers<boolean>()
  const ask = () => {
    const socket = connect({ host, port })
    socket.once('connect', () => resolve(true)).on('error', () => resolve(false))
    sockets.push(socket)
  }
  const stop = () => resolve(false)
  const asking = setInterval(ask, withinMs / attempts)
  const end = setTimeout(stop, withinMs)
  signal?.addEventListener('abort', stop, { once: true })
  ask()
  try {
    return await promise
  } finally {
    clearInterval(asking)
    clearTimeout(end)
    signal?.removeEventListener('abort', stop)
    for (const socket of sockets) socket.destroy()
  }
}
