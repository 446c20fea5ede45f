import { createServer } from 'node:net'
import { once } from 'node:events'
import { expect, test } from 'vitest'
import { startEcho, connectEcho } from '../support/echo-server.ts'
import { holdfast, type HoldfastResult } from '../support/holdfast.ts'
import { spawn } from 'node:child_process'

const program = new URL('../../bin/holdfast.js', import.meta.url).pathname

/** The real program, as far as it says that it listens. */
async function startProxy(...args: string[]) {
  const child = spawn(process.execPath, [program, '--json', 'chaos', 'proxy', '--api', '127.0.0.1:0', ...args], {
    env: { ...process.env, NO_COLOR: '1' },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  const ended = once(child, 'exit')
  let said = ''
  for await (const text of child.stderr.setEncoding('utf8') as AsyncIterable<string>) {
    said += text
    if (said.includes('\n')) break
  }
  const event = JSON.parse(said.split('\n')[0] ?? '') as { api: string; proxies: { name: string; listen: string }[] }
  return {
    ...event,
    async stop() {
      child.kill('SIGTERM')
      const [code] = (await ended) as [number]
      return code
    },
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL')
      await ended
    },
  }
}

test('connections go through it, toxics are told over the API of Toxiproxy, and it ends when it is told to', async () => {
  await using echo = await startEcho()
  await using proxy = await startProxy(`echo=127.0.0.1:0,${echo.address}`)
  const listen = proxy.proxies[0]?.listen ?? ''
  expect(listen).not.toMatch(/:0$/)
  {
    using client = await connectEcho(listen)
    expect(await client.roundTrip(Buffer.from('hello'))).toBeTypeOf('number')
    const added = await fetch(`${proxy.api}/proxies/echo/toxics`, {
      method: 'POST',
      body: JSON.stringify({ type: 'latency', attributes: { latency: 1500 } }),
    })
    expect(added.status).toBe(200)
    expect(await client.roundTrip(Buffer.from('late'))).toBeGreaterThanOrEqual(1499)
  }
  expect(await proxy.stop()).toBe(0)
  await expect(fetch(`${proxy.api}/version`)).rejects.toThrow()
})

test('an address that is taken, or none at all, is an error that says so', async () => {
  const taken = createServer().listen(0, '127.0.0.1')
  await once(taken, 'listening')
  const address = taken.address()
  const port = typeof address === 'object' ? address?.port : 0
  const busy: HoldfastResult = await holdfast(['chaos', 'proxy', '--api', '127.0.0.1:0', `db=127.0.0.1:${port},127.0.0.1:1`])
  taken.close()
  expect(busy).toMatchObject({ exitCode: 2, stderr: expect.stringContaining(`cannot listen at 127.0.0.1:${port}`) })
  const wrong = await holdfast(['chaos', 'proxy', 'db=5432'])
  expect(wrong).toMatchObject({ exitCode: 2, stderr: expect.stringContaining("'db=5432' is no proxy") })
})
