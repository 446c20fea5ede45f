import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { catalogOf, problemsOf, unmark } from '../../test/support/marked-catalog.ts'
import { maintenanceAt, maintenanceOfAll, outageCountsFrom } from './maintenance.ts'
import type { Catalog, Service } from './types.ts'

const at = (text: string) => new Date(text)

function text(windows: string, timeZone = 'timeZone: Europe/Berlin, '): string {
  return `version: 1
name: acme
sites: { east: {}, west: {} }
services:
  api: { owner: me, site: east, objectives: { rpo: 1h, rto: 1h } }
  db: { owner: me, site: west, environment: staging, objectives: { rpo: 1h, rto: 1h } }
maintenance: { ${timeZone}windows: [${windows}] }
`
}
const catalog = (windows: string) => catalogOf(text(windows))
const serviceOf = ({ services }: Catalog, name: string) => services[name] as Service
const open = (found: Catalog, time: string, name = 'api') => maintenanceAt(found, at(time))(serviceOf(found, name))

describe('a window', () => {
  test('that comes back is open by the clock of its zone, over midnight, and has a beginning and an end', async () => {
    const found = await catalog("{ title: updates, services: [api], days: [sat], from: '23:00', to: '02:00' }")
    // Saturday 2026-11-28 23:00 in Berlin is 22:00 UTC.
    const times = { title: 'updates', since: at('2026-11-28T22:00:00Z'), until: at('2026-11-29T01:00:00Z') }
    expect(open(found, '2026-11-28T21:59:59.999Z')).toBeUndefined()
    expect(open(found, '2026-11-28T22:00:00Z')).toEqual(times)
    expect(open(found, '2026-11-29T00:59:59.999Z')).toEqual(times)
    expect(open(found, '2026-11-29T01:00:00Z')).toBeUndefined()
    expect(open(found, '2026-11-29T22:30:00Z')).toBeUndefined()
    expect(open(found, '2026-11-28T23:00:00Z', 'db')).toBeUndefined()
    // In the night of the change to summer time it is an hour shorter.
    const spring = await catalog("{ title: t, services: [api], days: [sun], from: '01:00', to: '04:00' }")
    expect(open(spring, '2026-03-29T00:30:00Z')).toMatchObject({
      since: at('2026-03-29T00:00:00Z'),
      until: at('2026-03-29T02:00:00Z'),
    })
  })

  test('that comes once is open from its beginning until its end, which is not in it', async () => {
    const found = await catalog('{ title: hall, sites: [east], begins: 2026-12-05T20:00:00+01:00, ends: 2026-12-06T04:00:00Z }')
    expect(open(found, '2026-12-05T18:59:59Z')).toBeUndefined()
    expect(open(found, '2026-12-05T19:00:00Z')).toMatchObject({ title: 'hall', until: at('2026-12-06T04:00:00Z') })
    expect(open(found, '2026-12-06T04:00:00Z')).toBeUndefined()
  })

  test('is of the services that it names, of its sites and of its environments; of several the one that ends last counts', async () => {
    const found = await catalog(
      "{ title: a, environments: [production], from: '00:00', to: '12:00' }, { title: b, sites: [west], from: '00:00', to: '12:00' }, { title: c, services: [db], from: '00:00', to: '13:00' }",
    )
    expect(open(found, '2026-11-28T08:00:00Z', 'api')?.title).toBe('a')
    expect(open(found, '2026-11-28T08:00:00Z', 'db')?.title).toBe('c')
  })

  test('of days that follow on each other is one, and in the night of the change to winter time an hour longer', async () => {
    const weekend = await catalog("{ title: t, services: [api], days: [sun, sat], from: '00:00', to: '00:00' }")
    // Saturday noon, and the last minute of Sunday.
    const times = { since: at('2026-11-27T23:00:00Z'), until: at('2026-11-29T23:00:00Z') }
    expect(open(weekend, '2026-11-28T11:00:00Z')).toMatchObject(times)
    expect(open(weekend, '2026-11-29T22:59:00Z')).toMatchObject(times)
    const days = await catalog("{ title: t, services: [api], days: [wed, thu, fri, sat, sun, mon], from: '00:00', to: '00:00' }")
    const long = { since: at('2026-10-20T22:00:00Z'), until: at('2026-10-26T23:00:00Z') }
    expect(open(days, '2026-10-21T00:00:00Z')).toMatchObject(long)
    expect(open(days, '2026-10-26T22:00:00Z')).toMatchObject(long)
    const autumn = await catalog("{ title: t, services: [api], days: [sun], from: '01:00', to: '04:00' }")
    const night = { since: at('2026-10-24T23:00:00Z'), until: at('2026-10-25T03:00:00Z') }
    expect(open(autumn, '2026-10-24T23:00:00Z')).toMatchObject(night)
    expect(open(autumn, '2026-10-25T02:59:00Z')).toMatchObject(night)
  })
})

test('several services share a window as long as each of them is in one of its own', async () => {
  const found = await catalog(
    "{ title: a, services: [api], from: '02:00', to: '05:00' }, { title: b, services: [db], from: '03:00', to: '04:00' }",
  )
  const shared = (time: string) => maintenanceOfAll(found, Object.values(found.services), at(time))
  expect(shared('2026-11-28T01:30:00Z')).toBeUndefined()
  expect(shared('2026-11-28T02:30:00Z')).toEqual({
    service: 'db',
    title: 'b',
    since: at('2026-11-28T02:00:00Z'),
    until: at('2026-11-28T03:00:00Z'),
  })
  expect(shared('2026-11-28T03:30:00Z')).toBeUndefined()
})

describe('an outage', () => {
  const forMs = 60_000
  const counts = (found: Catalog, since: string, now: string) => {
    const { from, window } = outageCountsFrom(found, [serviceOf(found, 'api')], { since: at(since), forMs, now: at(now) })
    return window === undefined ? from : window.title
  }

  test('that fell into a window counts from its end, one that goes over into another from the end of that, and any other from its beginning', async () => {
    const found = await catalog(
      "{ title: a, services: [api], from: '02:00', to: '03:00' }, { title: b, services: [api], begins: 2026-11-28T02:00:00Z, ends: 2026-11-28T05:00:00Z }",
    )
    expect(counts(found, '2026-11-28T01:30:00Z', '2026-11-28T06:00:00Z')).toEqual(at('2026-11-28T05:00:00Z'))
    expect(counts(found, '2026-11-28T01:30:00Z', '2026-11-28T04:00:00Z')).toBe('b')
    expect(counts(found, '2026-11-27T01:30:00Z', '2026-11-27T03:00:00Z')).toEqual(at('2026-11-27T02:00:00Z'))
    // Begun a little early, it is of the window; held for long enough before that, it was an outage before.
    expect(counts(found, '2026-11-28T00:59:30Z', '2026-11-28T01:00:20Z')).toBe('a')
    expect(counts(found, '2026-11-28T00:59:30Z', '2026-11-28T06:00:00Z')).toEqual(at('2026-11-28T05:00:00Z'))
    expect(counts(found, '2026-11-28T00:58:59Z', '2026-11-28T01:30:00Z')).toEqual(at('2026-11-28T00:58:59Z'))
  })

  test('fell into a window also where that was shorter than the hold time, between its beginning and its end', async () => {
    const short = await catalog(
      '{ title: blink, services: [api], begins: 2026-11-28T02:00:10Z, ends: 2026-11-28T02:00:40Z }, { title: next, services: [api], begins: 2026-11-28T02:01:30Z, ends: 2026-11-28T02:01:35Z }',
    )
    expect(counts(short, '2026-11-28T02:00:00Z', '2026-11-28T02:00:20Z')).toBe('blink')
    expect(counts(short, '2026-11-28T02:00:00Z', '2026-11-28T02:01:20Z')).toEqual(at('2026-11-28T02:00:40Z'))
    expect(counts(short, '2026-11-28T02:00:00Z', '2026-11-28T02:10:00Z')).toEqual(at('2026-11-28T02:01:35Z'))
    expect(counts(short, '2026-11-28T01:59:09Z', '2026-11-28T02:10:00Z')).toEqual(at('2026-11-28T01:59:09Z'))
    const long = await catalog("{ title: weekly, services: [api], from: '02:00', to: '02:10' }")
    const held = { since: at('2026-11-28T00:50:00Z'), forMs: 3_600_000, now: at('2026-11-28T04:00:00Z') }
    expect(outageCountsFrom(long, [serviceOf(long, 'api')], held)).toEqual({ from: at('2026-11-28T01:10:00Z') })
  })

  test('never counts from before it began, nor from later than now but while a window is open', async () => {
    const found = await catalog(
      "{ title: a, services: [api], from: '02:00', to: '03:00' }, { title: b, services: [api], from: '03:00', to: '05:30' }",
    )
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 3 * 86_400 }), fc.integer({ min: 0, max: 86_400 }), (begins, seconds) => {
        const since = new Date(Date.UTC(2026, 5, 1) + begins * 1000)
        const now = new Date(since.getTime() + seconds * 1000)
        const { from, window } = outageCountsFrom(found, [serviceOf(found, 'api')], { since, forMs, now })
        const isOpen = maintenanceAt(found, now)(serviceOf(found, 'api')) !== undefined
        expect(from >= since).toBe(true)
        expect(window === undefined ? from <= now : isOpen && from > now).toBe(true)
      }),
      { numRuns: 60 },
    )
  })
})

test.each([
  ['of nobody', "‸{ title: t, from: '02:00', to: '03:00' }", /services, sites or environments/],
  ['without a time', '‸{ title: t, services: [api] }', /from and to .* or with begins/],
  ['with half a time', "‸{ title: t, services: [api], from: '02:00' }", /from and to/],
  [
    'that comes once and comes back',
    "‸{ title: t, services: [api], from: '02:00', to: '03:00', begins: 2026-01-01T00:00:00Z, ends: 2026-01-02T00:00:00Z }",
    /from and to/,
  ],
  [
    'that ends before it begins',
    '‸{ title: t, services: [api], begins: 2026-01-02T00:00:00Z, ends: 2026-01-01T00:00:00Z }',
    /later, ends/,
  ],
  ['that never ends', "‸{ title: t, services: [api], from: '08:00', to: '08:00' }", /never end: leave out a day/],
  [
    'that never ends, by the names of its days',
    "‸{ title: t, services: [api], days: [sun, mon, tue, wed, thu, fri, sat], from: '00:00', to: '00:00' }",
    /never end/,
  ],
  [
    'that never ends together with another',
    "{ title: s, services: [api], from: '20:00', to: '08:00' }, ‸{ title: t, sites: [east], from: '08:00', to: '20:00' }",
    /maintenance of api \(s, t\) has no break: it would never be an outage/,
  ],
  ['of a service that is not there', "{ title: t, services: [‸apo], from: '02:00', to: '03:00' }", /'apo'.*does not exist/],
  [
    'at a time without a zone',
    '{ title: t, services: [api], begins: ‸2026-01-02T00:00:00, ends: 2026-01-03T00:00:00Z }',
    /with its zone/,
  ],
])('a window %s is a problem at its place', async (_what, window, said) => {
  const { text: written, places } = unmark(text(window))
  const problems = await problemsOf(written)
  expect(problems.places).toEqual(places)
  expect(problems.said).toMatch(said)
})

test('windows must leave a break that is longer than the hold time of what watches over the service', async () => {
  const watched = (holds: string, windows: string) =>
    `${text(windows).replace('west: {} }', 'west: {}, north: {} }')}observers: { o: { site: north, report: { http: 'http://127.0.0.1:1', token: { env: T } } } }
plans:
  back:
    recovers: [api, db]
    detection: { symptoms: [down], probes: [{ tcp: '127.0.0.1:1' }], observers: [o], quorum: 1 of 1, every: 1s, for: ${holds} }
    steps: [{ id: wait, do: { wait: { for: 1s } } }]
`
  const nearly = "‸{ title: t, services: [api], from: '00:00', to: '23:59' }"
  const { text: written, places } = unmark(watched('60s', nearly))
  const problems = await problemsOf(written)
  expect(problems.places).toEqual(places)
  expect(problems.said).toMatch(/api \(t\) has no break of more than .*back must see it down for/)
  expect((await catalogOf(unmark(watched('59s', nearly)).text)).maintenance.windows).toHaveLength(1)
  // One minute in a week, over its end, is a break.
  const gap =
    "{ title: s, services: [db], days: [mon], from: '00:01', to: '00:00' }, { title: t, services: [db], days: [tue, wed, thu, fri, sat, sun], from: '00:00', to: '00:00' }"
  expect((await catalogOf(watched('59s', gap))).maintenance.windows).toHaveLength(2)
})
