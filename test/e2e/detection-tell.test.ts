import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { expect, test, vi } from 'vitest'
import { detectionCatalog, healthService, holdfastProcess } from '../support/detection.ts'
import { holdfast } from '../support/holdfast.ts'

vi.setConfig({ testTimeout: 300_000 })

/** Where messages are posted: a real HTTP server that keeps them, and answers as it is told. */
async function chat() {
  const posted: { text: string; run: { id: string } }[] = []
  let status = 200
  const server = createServer((request, response) => {
    let body = ''
    request.setEncoding('utf8').on('data', (text: string) => (body += text))
    request.on('end', () => {
      if (status === 200) posted.push(JSON.parse(body) as (typeof posted)[number])
      response.writeHead(status).end()
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    posted,
    answer: (next: number) => (status = next),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

test('people are told once for an incident, by one of two machines, what would be lost and what to type; again for the next', async () => {
  await using messages = await chat()
  await using service = await healthService()
  await using watched = await detectionCatalog({
    probes: [{ http: `http://127.0.0.1:${service.port}/`, timeout: '1s' }],
    observers: { north: {}, south: {}, east: {} },
    detection: {
      decide: 'ask',
      claims: { repository: 'far', expire: '2s' },
      notify: [
        { message: 'web of ${run.catalog} is down', webhook: { url: messages.url } },
        { message: 'wake up', command: { run: 'cat >> pager' } },
      ],
    },
    service: (folder) => ({ data: { files: { paths: [join(folder, 'data')] } } }),
  })
  await using _north = holdfastProcess(['--catalog', watched.catalog, 'observe', '--as', 'north'])
  await using _south = holdfastProcess(['--catalog', watched.catalog, 'observe', '--as', 'south'])
  await using _east = holdfastProcess(['--catalog', watched.catalog, 'observe', '--as', 'east'])
  await watched.whenIt('healthy')
  const other = await watched.elsewhere()
  const act = (catalog: string) => holdfast(['--catalog', catalog, '--json', 'detect', 'web', '--act'], { cwd: watched.folder })
  expect((await act(watched.catalog)).exitCode).toBe(0)
  await service.kill()
  await watched.whenIt('down')

  messages.answer(500)
  const half = await act(watched.catalog)
  expect(half.json()).toMatchObject({ verdict: 'down', telling: { state: 'told', problems: [expect.stringContaining('500')] } })
  expect(half.exitCode).toBe(4)
  const paged = await readFile(join(watched.folder, 'pager'), 'utf8')
  expect(paged).toMatch(/^wake up\n\nweb is down: north, south/)
  expect(paged).toContain(`holdfast recover web --onset ${half.json<{ since: string }>().since}`)
  expect(paged).toMatch(/what would be lost now\n +web from far: nothing would come back: there is no backup there/)

  messages.answer(200)
  expect((await act(watched.catalog)).json()).toMatchObject({ telling: { state: 'told-before' } })
  expect((await act(other.catalog)).json()).toMatchObject({ telling: { state: 'told-elsewhere' } })
  expect(messages.posted).toEqual([])
  expect(await readFile(join(watched.folder, 'pager'), 'utf8')).toBe(paged)

  await service.start()
  await watched.whenIt('healthy')
  expect((await act(watched.catalog)).exitCode).toBe(0)
  await service.kill()
  await watched.whenIt('down')
  expect((await act(other.catalog)).json()).toMatchObject({ telling: { state: 'told', problems: [] } })
  expect(messages.posted).toMatchObject([{ text: expect.stringMatching(/^web of detection is down\n\nweb is down/) as string }])
  expect(await watched.runs()).toEqual([])
})

test('that nobody could be told is a failure of its own, and is tried again', async () => {
  await using messages = await chat()
  messages.answer(503)
  await using watched = await detectionCatalog({
    probes: [{ tcp: '127.0.0.1:1' }],
    observers: { north: {}, south: {}, east: {} },
    detection: { notify: [{ message: 'down', webhook: { url: messages.url } }] },
  })
  await using _north = holdfastProcess(['--catalog', watched.catalog, 'observe', '--as', 'north'])
  await using _south = holdfastProcess(['--catalog', watched.catalog, 'observe', '--as', 'south'])
  await watched.whenIt('down')
  const act = () => holdfast(['--catalog', watched.catalog, 'detect', 'web', '--act'])
  const failed = await act()
  expect(failed.exitCode).toBe(1)
  expect(failed.stderr).toContain('NOBODY WAS TOLD')
  messages.answer(200)
  const told = await act()
  expect(told.exitCode).toBe(4)
  expect(told.stderr).toContain('people were told')
  expect(messages.posted).toHaveLength(1)
  // To look is not to act.
  await holdfast(['--catalog', watched.catalog, 'detect', 'web'])
  expect(messages.posted).toHaveLength(1)
})

test('two machines that wait and act start one run between them for a real outage', async () => {
  await using service = await healthService()
  await using watched = await detectionCatalog({
    probes: [{ http: `http://127.0.0.1:${service.port}/`, timeout: '1s' }],
    observers: { north: {}, south: {}, east: {} },
    detection: { decide: 'auto', claims: { repository: 'far' } },
    steps: (folder) => [{ id: 'act', do: { shell: { run: `echo begun >> '${folder}/effects'`, undo: 'true' } } }],
  })
  await using _north = holdfastProcess(['--catalog', watched.catalog, 'observe', '--as', 'north'])
  await using _south = holdfastProcess(['--catalog', watched.catalog, 'observe', '--as', 'south'])
  await using _east = holdfastProcess(['--catalog', watched.catalog, 'observe', '--as', 'east'])
  await watched.whenIt('healthy')
  const other = await watched.elsewhere()
  const deciders = [watched.catalog, other.catalog].map((catalog) =>
    holdfast(['--catalog', catalog, '--json', 'detect', 'web', '--wait', '--act']),
  )
  await service.kill()
  const ended = await Promise.all(deciders)
  expect(ended.map(({ exitCode }) => exitCode).toSorted((a, b) => a - b)).toEqual([0, 4])
  expect([...(await watched.runs()), ...(await other.runs())]).toHaveLength(1)
  expect(await readFile(join(watched.folder, 'effects'), 'utf8')).toBe('begun\n')
})
