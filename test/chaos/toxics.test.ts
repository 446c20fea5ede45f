import { once } from 'node:events'
import { expect, test } from 'vitest'
import { bound, chaosFolder, guardIn, never } from '../support/chaos.ts'
import { connectEcho, startEcho } from '../support/echo-server.ts'
import { expectNothingLeft } from '../support/fault-crash.ts'
import { startToxiproxy } from '../support/toxiproxy.ts'

/** Everything that a toxic needs: an echo behind a proxy, and a guard. */
async function bench() {
  await using stack = new AsyncDisposableStack()
  const folder = stack.use(await chaosFolder())
  const echo = stack.use(await startEcho())
  const world = stack.use(await startToxiproxy(echo.address))
  const guard = stack.use(await guardIn(folder.path))
  const owned = stack.move()
  return {
    address: world.proxy.listen,
    proxy: world.proxy,
    api: world.api,
    add: (toxic: unknown, more = {}) =>
      guard.inject(bound('tcp.toxic', { api: world.api, proxy: 'echo', toxic, ...more }), 60_000, never),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

test('latency delays connections that there are, for as long as the fault lasts', async () => {
  await using world = await bench()
  using client = await connectEcho(world.address)
  const fault = await world.add({ latency: { delay: '2s', jitter: '100ms' } })
  expect(await client.roundTrip(Buffer.from('x'))).toBeGreaterThanOrEqual(1899)
  await fault.end()
  expect(world.proxy.toxics).toEqual([])
  expect(await client.roundTrip(Buffer.from('y'))).toBeTypeOf('number')
})

test('a delay does not hold up what comes behind: many pieces take it once', async () => {
  await using world = await bench()
  using client = await connectEcho(world.address)
  await world.add({ latency: { delay: '1s' } })
  const began = performance.now()
  const trips = Array.from({ length: 20 }, () => client.roundTrip(Buffer.from('x')))
  await Promise.all(trips)
  // One after the other they would take twenty seconds.
  expect(performance.now() - began).toBeLessThan(19_000)
})

test('a bandwidth is kept, and everything arrives', async () => {
  await using world = await bench()
  using client = await connectEcho(world.address)
  await world.add({ bandwidth: '200kB' })
  // 300 kB at 200 kB a second take a second and a half at least.
  expect(await client.roundTrip(Buffer.alloc(300_000))).toBeGreaterThan(1300)
})

test('a timeout swallows what is sent, then ends the connection', async () => {
  await using world = await bench()
  using client = await connectEcho(world.address)
  await world.add({ timeout: '300ms' })
  expect(await client.roundTrip(Buffer.from('x'))).toBe('closed after 0')
})

test('a reset is a reset, not an end', async () => {
  await using world = await bench()
  using client = await connectEcho(world.address)
  const failed = once(client.socket, 'error')
  await world.add({ resetPeer: '50ms' })
  expect(await failed).toMatchObject([{ code: 'ECONNRESET' }])
})

test('a reset hits connections that begin after it, too', async () => {
  await using world = await bench()
  await world.add({ resetPeer: '50ms' })
  using client = await connectEcho(world.address)
  expect(await once(client.socket, 'error')).toMatchObject([{ code: 'ECONNRESET' }])
})

test('after a limit of data the connection ends, with exactly that much', async () => {
  await using world = await bench()
  await world.add({ limitData: '1000B' })
  using client = await connectEcho(world.address)
  expect(await client.roundTrip(Buffer.alloc(5000))).toBe('closed after 1000')
})

test('a slicer cuts what is sent into pieces, in order and whole', async () => {
  await using world = await bench()
  using client = await connectEcho(world.address)
  await world.add({ slicer: { averageSize: '10B', sizeVariation: '5B', delay: '1ms' } })
  const sent = Buffer.from(Array.from({ length: 200 }, (_, index) => index))
  const got: Buffer[] = []
  client.socket.on('data', (part: Buffer) => got.push(part))
  await client.roundTrip(sent)
  expect(Buffer.concat(got)).toEqual(sent)
  expect(got.length).toBeGreaterThan(5)
})

test('the end of a connection is late by a slow close', async () => {
  await using world = await bench()
  await world.add({ slowClose: '1s' })
  using client = await connectEcho(world.address)
  await client.roundTrip(Buffer.from('x'))
  const began = performance.now()
  client.socket.end()
  await new Promise((resolve) => client.socket.once('close', resolve))
  expect(performance.now() - began).toBeGreaterThan(950)
})

test('what an experiment leaves when it and its watchdog are gone removes itself at the deadline', async () => {
  await using world = await bench()
  const response = await fetch(`${world.api}/proxies/echo/toxics`, {
    method: 'POST',
    headers: { 'user-agent': 'curl' },
    body: JSON.stringify({ type: 'latency', attributes: { latency: 5 }, holdfast_expires_ms: 200 }),
  })
  expect(await response.json()).toEqual({
    name: 'latency_downstream',
    type: 'latency',
    stream: 'downstream',
    toxicity: 1,
    attributes: { latency: 5, jitter: 0 },
  })
  await expect.poll(() => world.proxy.toxics).toEqual([])
})

test('an experiment that is killed leaves no toxic, at whatever step', { timeout: 600_000 }, async () => {
  await using world = await bench()
  const params = { api: world.api, proxy: 'echo', toxic: { latency: { delay: '1s' } } }
  await expectNothingLeft('tcp.toxic', params, async (after) => {
    expect(world.proxy.toxics, after).toEqual([])
  })
})
