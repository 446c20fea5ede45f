import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { expect, test } from 'vitest'
import { isReachable } from './reachable.ts'

async function listener() {
  const server = createServer((socket) => socket.destroy()).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const close = async () => {
    server.close()
    await once(server, 'close')
  }
  return { port, close }
}

test('whoever accepts a connection is there, whatever it says then', async () => {
  const { port, close } = await listener()
  expect(await isReachable(`postgres://ann@127.0.0.1:${port}/orders`)).toBe(true)
  expect(await isReachable(`postgresql:///orders?host=localhost&port=${port}`)).toBe(true)
  await close()
  expect(await isReachable(`postgres://ann@127.0.0.1:${port}/orders`)).toBe(false)
})

test('a name that leads nowhere is not there', async () => {
  expect(await isReachable('postgres://ann@db.invalid/orders')).toBe(false)
})

test('what has no address to ask at is left to connecting', async () => {
  expect(await isReachable('postgresql:///orders?host=/run/none')).toBe(true)
  expect(await isReachable('postgresql://ann@/orders?host=one,other')).toBe(true)
})

test('it ends with the signal', async () => {
  const reason = new Error('enough')
  await expect(isReachable('postgres://ann@127.0.0.1:1/orders', {}, AbortSignal.abort(reason))).rejects.toBe(reason)
})
