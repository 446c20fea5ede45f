import { describe, expect, test } from 'vitest'
import { checkText, problemsOf, unmark } from '../../test/support/marked-catalog.ts'
import type { Catalog } from './types.ts'

interface Parts {
  readonly detection?: string
  readonly recovers?: string
  readonly observers?: string
  readonly health?: string
}

const three = 'observers: [north, south, east], quorum: 2 of 3, every: 1s, for: 10s'

/** A catalog of a service `web` at the site `here`, and observers at three other sites. */
function withDetection({
  detection = `${three}, probes: [{ tcp: "db:5432" }]`,
  recovers = '[web]',
  observers = '',
  health,
}: Parts = {}) {
  return `version: 1
name: test
sites: { here: {}, n: {}, s: {}, e: {} }
repositories:
  near: { url: /near, site: here, password: { env: PW } }
  far: { url: /far, site: n, password: { env: PW } }
services:
  web: { owner: me, site: here, objectives: { rpo: 1m, rto: 1m }${health === undefined ? '' : `, health: ${health}`} }
observers:
  north: { site: n, report: { repository: far }, reference: { tcp: "1.1.1.1:53" } }
  south: { site: s, report: { http: "http://127.0.0.1:8710", token: { env: TOKEN } } }
  east: { site: e, report: { repository: far } }
${observers}
plans:
  back:
    recovers: ${recovers}
    detection: { symptoms: [web answers 503], ${detection} }
    steps: [{ id: a, do: { wait: { for: 1s } } }]
`
}

async function catalogOf(text: string): Promise<Catalog> {
  const check = await checkText(text)
  if (!check.valid) throw new Error(JSON.stringify(check.problems, undefined, 1))
  return check.catalog
}

test('a watched plan has everything that watching needs, in numbers', async () => {
  const probes =
    '[{ http: "https://web/health", status: 204, timeout: 2s }, { sql: select 1, url: { env: DB } }, { command: [/bin/true] }, { heartbeat: { sql: select at from beat, url: { env: DB }, maxAge: 30s } }]'
  const { plans, observers } = await catalogOf(
    withDetection({ detection: `${three}, quiet: 2h, decide: auto, probes: ${probes}` }),
  )
  expect(plans.back?.detection).toEqual({
    symptoms: ['web answers 503'],
    quorum: { needed: 2, of: 3 },
    forMs: 10_000,
    decide: 'auto',
    notify: [],
    watch: {
      observers: ['north', 'south', 'east'],
      needed: 2,
      failing: 'any',
      everyMs: 1000,
      forMs: 10_000,
      quietMs: 7_200_000,
      probes: [
        { kind: 'http', url: 'https://web/health', status: 204, timeoutMs: 2000 },
        { kind: 'sql', sql: 'select 1', url: { env: 'DB' }, timeoutMs: 10_000 },
        { kind: 'command', command: ['/bin/true'], timeoutMs: 10_000 },
        { kind: 'heartbeat', sql: 'select at from beat', url: { env: 'DB' }, maxAgeMs: 30_000, timeoutMs: 10_000 },
      ],
    },
  })
  expect(observers.north).toEqual({
    name: 'north',
    site: 'n',
    report: { kind: 'repository', repository: 'far' },
    reference: { kind: 'tcp', host: '1.1.1.1', port: 53, timeoutMs: 10_000 },
  })
  expect(observers.south?.report).toEqual({ kind: 'http', url: 'http://127.0.0.1:8710', token: { env: 'TOKEN' } })
})

test('without probes the observers look at the health of what is recovered', async () => {
  const { plans } = await catalogOf(withDetection({ detection: three, health: '{ tcp: "web:80", timeout: 1s }' }))
  expect(plans.back?.detection?.watch?.probes).toEqual([{ kind: 'tcp', host: 'web', port: 80, timeoutMs: 1000 }])
})

test('without observers a detection is words for people, as ever', async () => {
  const { plans } = await catalogOf(withDetection({ detection: 'quorum: 2 of 3, for: 60s' }))
  expect(plans.back?.detection).toEqual({
    symptoms: ['web answers 503'],
    quorum: { needed: 2, of: 3 },
    forMs: 60_000,
    decide: 'ask',
    notify: [],
  })
})

const tcp = 'probes: [{ tcp: "db:1" }]'

const cases: readonly (readonly [what: string, parts: Parts, codes: readonly string[], said: RegExp])[] = [
  [
    'an unknown observer',
    { detection: `observers: [north, ‸sout], quorum: 2 of 2, for: 10s, ${tcp}` },
    ['unknown-reference'],
    /did you mean 'south'/,
  ],
  [
    'a quorum of others than the configured observers',
    { detection: `observers: [north, south], quorum: ‸2 of 3, for: 10s, ${tcp}` },
    ['wrong-value'],
    /counts 3 observers, but 2 are configured/,
  ],
  [
    'an observer at the site that it watches',
    {
      observers: '  home: { site: here, report: { repository: far } }',
      detection: `observers: [north, ‸home], quorum: 2 of 2, for: 10s, ${tcp}`,
    },
    ['wrong-value'],
    /at the site 'here', as web is, which it watches/,
  ],
  [
    'two observers at one site',
    {
      observers: '  other: { site: n, report: { repository: far } }',
      detection: `observers: [north, ‸other], quorum: 2 of 2, for: 10s, ${tcp}`,
    },
    ['wrong-value'],
    /one broken network would be two votes/,
  ],
  [
    'reports that are lost with the site',
    {
      observers: '  west: { site: s, report: { repository: near } }',
      detection: `observers: [north, ‸west], quorum: 2 of 2, for: 10s, ${tcp}`,
    },
    ['wrong-value'],
    /with the site its reports are lost/,
  ],
  ['observers without a quorum', { detection: `observers: [north], for: 10s, ${tcp}` }, ['missing'], /quorum: 1 of 1/],
  ['observers without a hold time', { detection: `observers: [north], quorum: 1 of 1, ${tcp}` }, ['missing'], /for: 60s/],
  ['observers with nothing to look at', { detection: 'observers: [north], quorum: 1 of 1, for: 9s' }, ['missing'], /`health`/],
  ['probes that nobody looks at', { detection: `‸${tcp}` }, ['missing'], /nobody would look/],
  ['a decision by itself that nobody watches for', { detection: '‸decide: auto' }, ['missing'], /nobody would look/],
  [
    'a hold time shorter than the cadence',
    { detection: `observers: [north], quorum: 1 of 1, every: 10s, for: ‸5s, ${tcp}` },
    ['wrong-value'],
    /one failed look would be enough/,
  ],
  [
    'no cadence',
    { detection: `observers: [north], quorum: 1 of 1, every: ‸0s, for: 5s, ${tcp}` },
    ['wrong-value'],
    /no time at all/,
  ],
  [
    'a decision by itself of one observer',
    { detection: `observers: [north], quorum: ‸1 of 1, for: 10s, decide: auto, ${tcp}` },
    ['wrong-value'],
    /a majority, of at least two/,
  ],
  [
    'a decision by itself of a third',
    { detection: `observers: [north, south, east], quorum: ‸1 of 3, for: 10s, decide: auto, ${tcp}` },
    ['wrong-value'],
    /a majority/,
  ],
  [
    'a probe of two kinds',
    { detection: `${three}, probes: [‸{ tcp: "db:1", http: "http://x" }]` },
    ['wrong-value'],
    /exactly one of/,
  ],
  ['a query without a server', { detection: `${three}, probes: [‸{ sql: select 1 }]` }, ['wrong-value'], /sql \(with url\)/],
  [
    'a token in plain text',
    {
      observers: '  west: { site: s, report: { http: "http://c", token: ‸hunter2 } }',
    },
    ['plain-secret'],
    /reference to a secret/,
  ],
  [
    'claims in a repository that is lost with the site',
    { detection: `${three}, probes: [{ tcp: "db:1" }], claims: { repository: ‸near }` },
    ['wrong-value'],
    /at the site 'here', as web is/,
  ],
  ['claims where nobody looks', { detection: '‸claims: { repository: far }' }, ['missing'], /has 'claims', but no 'observers'/],
  [
    'a report by http without a token',
    { observers: '  west: { site: s, report: ‸{ http: "http://c" } }' },
    ['wrong-value'],
    /http with a token/,
  ],
]

describe('a detection that could not hold when it counts is reported at its line and column', () => {
  test.each(cases.map(([what, parts, codes, said]) => ({ what, parts, codes, said })))(
    '$what',
    async ({ parts, codes, said }) => {
      const { text, places } = unmark(withDetection(parts))
      const found = await problemsOf(text)
      expect(found.codes).toEqual(codes)
      expect(found.places).toEqual(places.length > 0 ? places : found.places)
      expect(found.said).toMatch(said)
    },
  )
})
