import { describe, expect, test } from 'vitest'
import { plainArea } from '../../test/support/area.ts'
import { systemClock } from '../kernel/index.ts'
import { openCollector } from './collector.ts'
import { createHttpReporter, fetchReport } from './http-reporter.ts'
import { createAreaReporter, readNewestReport } from './report-area.ts'
import type { ObserverReport } from './report.ts'
import type { Reporter } from './reporter.ts'

const signal = new AbortController().signal

const report = (epoch: number, seq: number, parts: Partial<ObserverReport> = {}): ObserverReport => ({
  version: 1,
  observer: 'north',
  site: 'n',
  epoch,
  seq,
  boot: '',
  host: 'h',
  pid: 1,
  sentAt: new Date().toISOString(),
  upMs: 10,
  plans: {},
  ...parts,
})

const token = () => Promise.resolve('a long token')

interface Way extends AsyncDisposable {
  readonly reporter: Reporter
  newest(): Promise<ObserverReport | undefined>
}

const ways: readonly (readonly [name: string, open: () => Promise<Way>])[] = [
  [
    'a sealed area',
    async () => {
      const area = plainArea()
      return {
        reporter: createAreaReporter(area, 'north'),
        newest: () => readNewestReport(area, 'north', signal),
        [Symbol.asyncDispose]: async () => {},
      }
    },
  ],
  [
    'a collector',
    async () => {
      const collector = await openCollector({
        host: '127.0.0.1',
        port: 0,
        tokens: new Map([['north', 'a long token']]),
        clock: systemClock,
      })
      const access = { url: collector.url, observer: 'north', token }
      return {
        reporter: createHttpReporter(access),
        newest: async () => (await fetchReport(access, signal))?.report,
        [Symbol.asyncDispose]: () => collector[Symbol.asyncDispose](),
      }
    },
  ],
]

describe.each(ways)('%s', (_, open) => {
  test('has nothing at first, then the newest report', async () => {
    await using way = await open()
    expect(await way.newest()).toBeUndefined()
    expect(await way.reporter.newestEpoch(signal)).toBe(0)
    for (const seq of [1, 2, 3]) await way.reporter.publish(report(7, seq), signal)
    expect(await way.newest()).toMatchObject({ epoch: 7, seq: 3 })
    expect(await way.reporter.newestEpoch(signal)).toBe(7)
  })

  test('prefers a later epoch to a higher number, and an older process is told that it has been superseded', async () => {
    await using way = await open()
    await way.reporter.publish(report(1, 900), signal)
    await way.reporter.publish(report(2, 1), signal)
    expect(await way.newest()).toMatchObject({ epoch: 2, seq: 1 })
    const old = async () => {
      for (let seq = 901; seq < 940; seq++) await way.reporter.publish(report(1, seq), signal)
    }
    await expect(old()).rejects.toMatchObject({ code: 'run-busy' })
    expect(await way.newest()).toMatchObject({ epoch: 2, seq: 1 })
  })
})

test('an area keeps a bounded number of reports of each observer, and leaves those of others alone', async () => {
  const area = plainArea()
  const count = async () => (await Array.fromAsync(area.list('north/'))).length
  await createAreaReporter(area, 'north-2').publish(report(1, 1, { observer: 'north-2' }), signal)
  const reporter = createAreaReporter(area, 'north')
  for (let seq = 1; seq <= 100; seq++) {
    await reporter.publish(report(1, seq), signal)
    expect(await count()).toBeLessThanOrEqual(20)
  }
  await createAreaReporter(area, 'north').publish(report(2, 1), signal)
  expect(await count()).toBeLessThanOrEqual(5)
  expect(await readNewestReport(area, 'north', signal)).toMatchObject({ epoch: 2 })
  expect(await readNewestReport(area, 'north-2', signal)).toMatchObject({ epoch: 1, seq: 1 })
})

test.each([
  ['what is no report', 'north/0000000001-000000000001', '{}'],
  ['a report under the name of a later one', 'north/0000000009-000000000001', JSON.stringify(report(1, 1))],
  ['a report of another observer', 'north/0000000001-000000000001', JSON.stringify(report(1, 1, { observer: 'south' }))],
])('an area refuses %s, and names it', async (_, name, text) => {
  const area = plainArea()
  await area.put(name, Buffer.from(text))
  await expect(readNewestReport(area, 'north', signal)).rejects.toMatchObject({
    code: 'object-damaged',
    details: { object: name },
  })
})

describe('a collector', () => {
  const opened = () =>
    openCollector({
      host: '127.0.0.1',
      port: 0,
      tokens: new Map([
        ['north', 'a long token'],
        ['south', 'another'],
      ]),
      clock: systemClock,
    })

  test('takes and gives reports only for the token of their observer', async () => {
    await using collector = await opened()
    const { url } = collector
    await createHttpReporter({ url, observer: 'north', token }).publish(report(1, 1), signal)
    for (const access of [
      { url, observer: 'north', token: () => Promise.resolve('another') },
      { url, observer: 'south', token },
      { url, observer: 'stranger', token },
    ]) {
      await expect(fetchReport(access, signal)).rejects.toMatchObject({ code: 'permission-denied' })
      const other = report(5, 5, { observer: access.observer })
      await expect(createHttpReporter(access).publish(other, signal)).rejects.toMatchObject({ code: 'permission-denied' })
    }
    expect(await fetchReport({ url, observer: 'north', token }, signal)).toMatchObject({ report: { epoch: 1 } })
    expect((await fetch(`${url}/v1/reports/north`)).status).toBe(401)
  })

  test('refuses a report of another observer, what is no report, and what is too large', async () => {
    await using collector = await opened()
    const put = (body: string) =>
      fetch(`${collector.url}/v1/reports/north`, { method: 'PUT', body, headers: { authorization: 'Bearer a long token' } })
    expect((await put(JSON.stringify(report(1, 1, { observer: 'south' })))).status).toBe(400)
    expect((await put('{')).status).toBe(400)
    await expect(put(JSON.stringify(report(1, 1, { host: 'x'.repeat(100_000) })))).rejects.toThrow()
    expect(await fetchReport({ url: collector.url, observer: 'north', token }, signal)).toBeUndefined()
  })

  test('tells a report’s age by its own clock, and how far that of the observer is ahead', async () => {
    await using collector = await opened()
    const access = { url: collector.url, observer: 'north', token }
    const sentAt = new Date(Date.now() + 3_600_000).toISOString()
    await createHttpReporter(access).publish(report(1, 1, { sentAt }), signal)
    const found = await fetchReport(access, signal)
    expect(found?.ageMs).toBeGreaterThanOrEqual(0)
    expect(found?.clockAheadMs).toBeGreaterThan(3_500_000)
  })

  test('that is not there is an error that says what to look at', async () => {
    const { url } = await (async () => {
      await using collector = await opened()
      return { url: collector.url }
    })()
    await expect(fetchReport({ url, observer: 'north', token }, signal)).rejects.toMatchObject({
      code: 'storage-failed',
      hint: expect.stringContaining('observe --listen') as string,
    })
  })
})
