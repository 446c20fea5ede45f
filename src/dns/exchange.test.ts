import { expect, test } from 'vitest'
import { exchange } from './exchange.ts'

test('an address to which no datagram can be sent has not had the message, and the process goes on', async () => {
  const signal = new AbortController().signal
  // To all of a network: a socket that has not asked for that may not, as where there is no route.
  const server = { host: '255.255.255.255', port: 53 }
  for (const repeat of [true, false]) {
    const request = { server, transport: 'udp', message: Buffer.alloc(12), timeoutMs: 60_000, repeat } as const
    expect(await exchange(request, () => 'an answer', signal)).toEqual({
      kind: 'not-sent',
      because: expect.stringContaining('255.255.255.255') as string,
    })
  }
})
