import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { connect, createServer, type AddressInfo } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { freePort } from '../../test/support/free-port.ts'
import type { Figure } from '../benchmark.ts'
import { spreadOf } from '../measure.ts'

const program = new URL('../../bin/holdfast.js', import.meta.url).pathname
/** Toxiproxy's server, where it is to be measured too. */
const toxiproxy = process.env.TOXIPROXY
const bytes = 2 ** 31
const chunk = Buffer.alloc(256 * 1024)

export function toxiproxyVersion(): string {
  if (toxiproxy === undefined) return 'Toxiproxy is not measured: TOXIPROXY names no server'
  return execFileSync(toxiproxy, ['-version'], { encoding: 'utf8' }).trim()
}

/** How much a proxy without toxics carries in a second of its own processor time. Sender and receiver are in this process, and do not count. */
export async function throughputs(rounds: number): Promise<Figure[]> {
  const sink = createServer((socket) => socket.resume()).listen(0, '127.0.0.1')
  await once(sink, 'listening')
  const upstream = `127.0.0.1:${(sink.address() as AddressInfo).port}`
  const contenders = [
    { name: 'holdfast chaos proxy', start: startOurs, rates: [] as number[], atLeast: 1 },
    ...(toxiproxy === undefined
      ? []
      : [{ name: 'Toxiproxy', start: (to: string) => startToxiproxy(toxiproxy, to), rates: [] as number[] }]),
  ]
  for (let round = 0; round < rounds; round++) {
    for (const contender of contenders.toSorted(() => Math.random() - 0.5)) {
      contender.rates.push(await rateOf(contender.start, upstream))
    }
  }
  sink.close()
  return contenders.map(({ name, rates, ...goal }) => ({
    what: `${name}: carried in a second of its processor time`,
    unit: 'GB',
    value: spreadOf(rates),
    ...('atLeast' in goal ? { atLeast: goal.atLeast } : {}),
  }))
}

interface Started {
  readonly child: ChildProcess
  readonly port: number
}

async function rateOf(start: (upstream: string) => Promise<Started>, upstream: string): Promise<number> {
  const { child, port } = await start(upstream)
  try {
    const before = processorSeconds(child.pid ?? 0)
    await send(port)
    return bytes / 1e9 / (processorSeconds(child.pid ?? 0) - before)
  } finally {
    child.kill('SIGKILL')
    await once(child, 'exit')
  }
}

/** Returns when all has arrived: the other end closes once it has read the end. */
async function send(port: number): Promise<void> {
  const socket = connect(port, '127.0.0.1')
  const closed = once(socket, 'close')
  socket.resume()
  await once(socket, 'connect')
  for (let sent = 0; sent < bytes; sent += chunk.length) if (!socket.write(chunk)) await once(socket, 'drain')
  socket.end()
  await closed
}

async function startOurs(upstream: string): Promise<Started> {
  const port = await freePort()
  const api = await freePort()
  const args = [program, 'chaos', 'proxy', `sink=127.0.0.1:${port},${upstream}`, '--api', `127.0.0.1:${api}`]
  const child = spawn(process.execPath, args, { stdio: 'ignore' })
  await untilOpen(port)
  return { child, port }
}

async function startToxiproxy(server: string, upstream: string): Promise<Started> {
  const port = await freePort()
  const api = await freePort()
  const child = spawn(server, ['-port', String(api)], { stdio: 'ignore' })
  await untilOpen(api)
  const body = JSON.stringify({ name: 'sink', listen: `127.0.0.1:${port}`, upstream, enabled: true })
  const answer = await fetch(`http://127.0.0.1:${api}/proxies`, { method: 'POST', body })
  if (!answer.ok) throw new Error(`Toxiproxy refused the proxy: ${await answer.text()}`)
  await untilOpen(port)
  return { child, port }
}

async function untilOpen(port: number): Promise<void> {
  for (let tries = 0; tries < 300; tries++) {
    const socket = connect(port, '127.0.0.1')
    const isOpen = await new Promise<boolean>((resolve) => {
      socket.once('connect', () => resolve(true)).once('error', () => resolve(false))
    })
    socket.destroy()
    if (isOpen) return
    await delay(100)
  }
  throw new Error(`nobody listens on port ${port}`)
}

/** Of all its threads, from proc_pid_stat(5): in hundredths of a second on every Linux that Node runs on. */
function processorSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  const [user = '0', system = '0'] = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .slice(11, 13)
  return (Number(user) + Number(system)) / 100
}
