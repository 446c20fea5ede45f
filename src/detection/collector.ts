import { timingSafeEqual } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { HoldfastError, messageOf, sha256Hex, systemCode, type Clock } from '../kernel/index.ts'
import type { CollectedReport } from './http-reporter.ts'
import { observerReport, type ObserverReport } from './report.ts'

export interface CollectorOptions {
  readonly host: string
  /** 0: any free one. */
  readonly port: number
  /** Of each observer that may report here. */
  readonly tokens: ReadonlyMap<string, string>
  readonly clock: Clock
  readonly onReport?: (report: ObserverReport) => void
}

export interface Collector extends AsyncDisposable {
  readonly url: string
}

interface Kept {
  readonly report: ObserverReport
  readonly receivedMs: number
  readonly clockAheadMs: number
}

const maxBodyBytes = 64 * 1024

/**
 * Keeps the newest report of each observer, in memory: after a restart there is none until the next. `PUT` and `GET /v1/reports/NAME`, both with
 * the observer's token as bearer. A report of an earlier epoch, or an earlier one of the same, is refused with 409.
 */
export async function openCollector({ host, port, tokens, clock, onReport }: CollectorOptions): Promise<Collector> {
  const kept = new Map<string, Kept>()

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const observer = /^\/v1\/reports\/([A-Za-z0-9][A-Za-z0-9._-]*)$/.exec(request.url ?? '')?.[1]
    if (observer === undefined) return void response.writeHead(404).end()
    if (!mayUse(request, tokens.get(observer))) return void response.writeHead(401, { 'www-authenticate': 'Bearer' }).end()
    const newest = kept.get(observer)
    if (request.method === 'GET') {
      if (newest === undefined) return void response.writeHead(404).end()
      const { report, receivedMs, clockAheadMs } = newest
      const found: CollectedReport = { report, ageMs: clock.monotonicMs() - receivedMs, clockAheadMs }
      return void response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(found))
    }
    if (request.method !== 'PUT') return void response.writeHead(405, { allow: 'GET, PUT' }).end()
    const parsed = observerReport.safeParse(await readJson(request))
    if (!parsed.success || parsed.data.observer !== observer) return void response.writeHead(400).end()
    const report = parsed.data
    const isOlder =
      newest !== undefined &&
      (report.epoch < newest.report.epoch || (report.epoch === newest.report.epoch && report.seq <= newest.report.seq))
    if (isOlder) return void response.writeHead(409, { 'x-newest-epoch': String(newest.report.epoch) }).end()
    const clockAheadMs = Date.parse(report.sentAt) - clock.now().getTime()
    kept.set(observer, { report, receivedMs: clock.monotonicMs(), clockAheadMs })
    onReport?.(report)
    response.writeHead(204).end()
  }

  const server = createServer({ requestTimeout: 10_000 }, (request, response) => {
    answer(request, response).catch(() => response.destroy())
  })
  server.listen(port, host)
  try {
    await once(server, 'listening')
  } catch (error) {
    throw new HoldfastError(systemCode(error) === 'EACCES' ? 'permission-denied' : 'usage', {
      message: `cannot listen on ${host}:${port}: ${messageOf(error)}`,
      hint: 'give another address: --listen HOST:PORT',
      cause: error,
    })
  }
  const { address, port: bound, family } = server.address() as AddressInfo
  return {
    url: `http://${family === 'IPv6' ? `[${address}]` : address}:${bound}`,
    async [Symbol.asyncDispose]() {
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      await closed
    },
  }
}

/** Compared in a time that tells nothing of the token. */
function mayUse({ headers }: IncomingMessage, token: string | undefined): boolean {
  const given = /^Bearer (.+)$/.exec(headers.authorization ?? '')?.[1]
  if (given === undefined || token === undefined) return false
  return timingSafeEqual(Buffer.from(sha256Hex(given)), Buffer.from(sha256Hex(token)))
}

async function readJson(request: IncomingMessage): Promise<unknown> {
  const pieces: Buffer[] = []
  let bytes = 0
  for await (const piece of request as AsyncIterable<Buffer>) {
    bytes += piece.length
    if (bytes > maxBodyBytes) throw new Error('too large')
    pieces.push(piece)
  }
  try {
    return JSON.parse(Buffer.concat(pieces).toString('utf8'))
  } catch {
    return undefined
  }
}
