import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { expect, test } from 'vitest'
import type { NamedServer } from './named-server.ts'
import { lookAgain, lookAt } from './survey.ts'

test('whoever did not answer is not asked once more, and whoever did is', async () => {
  let asked = 0
  const listener = createServer((socket) => {
    asked++
    socket.destroy()
  }).listen(0, '127.0.0.1')
  await once(listener, 'listening')
  const { port } = listener.address() as AddressInfo
  const server = { name: 'primary', service: 'orders', url: `postgres://ann@127.0.0.1:${port}/orders` } as NamedServer
  const signal = new AbortController().signal

  const silent = await lookAt(server, signal)
  const before = asked
  expect(silent).toEqual({ kind: 'unseen' })
  expect(before).toBeGreaterThan(0)

  expect(await lookAgain([{ server, sight: silent }], signal)).toEqual([{ server, sight: silent }])
  expect(asked).toBe(before)
  expect(await lookAgain([{ server, sight: { kind: 'standby' } }], signal)).toEqual([{ server, sight: { kind: 'unseen' } }])
  expect(asked).toBeGreaterThan(before)
  listener.close()
})
