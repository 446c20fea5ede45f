import { PassThrough, Readable } from 'node:stream'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { frontendMessage, MessageReader, readServerError } from './messages.ts'

const reader = (chunks: readonly Uint8Array[]) => {
  const stream = new PassThrough()
  Readable.from(chunks).pipe(stream)
  return new MessageReader(stream, (cause) => cause ?? new Error('the end'))
}

test('messages come out whole however the network cuts them', async () => {
  const message = fc.record({ type: fc.constantFrom('d', 'D', 'Z'), payload: fc.uint8Array({ maxLength: 300 }) })
  await fc.assert(
    fc.asyncProperty(
      fc.array(message, { maxLength: 8 }),
      fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1 }),
      async (sent, cuts) => {
        const bytes = Buffer.concat(sent.map(({ type, payload }) => frontendMessage(type, payload)))
        const chunks: Buffer[] = []
        for (let at = 0, cut = 0; at < bytes.length; cut++) {
          const length = cuts[cut % cuts.length] ?? 1
          chunks.push(bytes.subarray(at, at + length))
          at += length
        }
        const messages = reader(chunks)
        for (const { type, payload } of sent) {
          expect(await messages.next()).toEqual({ type, payload: Buffer.from(payload) })
        }
        await expect(messages.next()).rejects.toThrow('the end')
      },
    ),
    { numRuns: 50 },
  )
})

test('a message cut off by the end of the connection is an error, not a message', async () => {
  const messages = reader([frontendMessage('d', Buffer.alloc(100)).subarray(0, 50)])
  await expect(messages.next()).rejects.toThrow('the end')
})

test('an impossible length ends the reading instead of waiting for it', async () => {
  const messages = reader([Buffer.from([0x64, 0xff, 0xff, 0xff, 0xff, 0, 0])])
  await expect(messages.next()).rejects.toMatchObject({ code: 'postgres-failed' })
})

test('it reads no further ahead than it is asked to', async () => {
  const stream = new PassThrough({ highWaterMark: 1024 })
  const messages = new MessageReader(stream, () => new Error('the end'))
  let accepted = 0
  const piece = frontendMessage('d', Buffer.alloc(507))
  while (stream.write(piece)) accepted++
  await messages.next()
  expect(accepted).toBeLessThan(5)
})

test('the fields of a server error are read by their letters', () => {
  const payload = Buffer.from('SFEHLER\0VERROR\0C42501\0Mpermission denied\0Hask\0\0')
  expect(readServerError(payload)).toEqual({
    severity: 'ERROR',
    code: '42501',
    message: 'permission denied',
    detail: undefined,
    hint: 'ask',
  })
})
