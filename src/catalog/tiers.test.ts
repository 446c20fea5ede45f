import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { catalogOf, problemsOf, unmark } from '../../test/support/marked-catalog.ts'
import { drillOf } from './drill.ts'

const dayMs = 86_400_000

function catalog(tiers: string, services: string, drill = ''): string {
  return `version: 1
name: acme
sites: { here: {} }
${tiers}
services:
${services.replaceAll(/^/gm, '  ')}
plans:
  back: { recovers: [db, web], steps: [{ id: a, do: { wait: { for: 1s } } }]${drill} }
`
}

const web = 'web: { owner: me, site: here, tier: 2, objectives: { rpo: 2h, rto: 2h } }'

describe('a tier gives its services', () => {
  test('the objectives that they do not declare themselves, and what they verify, where there is data', async () => {
    const { services, tiers } = await catalogOf(
      catalog(
        'tiers: { 1: { description: money, objectives: { rpo: 5m, rto: 15m }, verify: { restoreTest: weekly, check: daily } } }',
        `db: { owner: me, site: here, tier: 1, objectives: { rto: 1h }, data: { files: { paths: [/srv] } }, verify: { check: hourly } }
web: { owner: me, site: here, tier: 1 }`,
      ),
    )
    expect(services.db).toMatchObject({
      objectives: { rpoMs: 300_000, rtoMs: 3_600_000 },
      declaredBy: { rpo: 'tier', rto: 'service' },
      verify: { check: { text: 'hourly' }, restoreTest: { text: 'weekly' }, assert: [] },
    })
    expect(services.web).toMatchObject({ objectives: { rtoMs: 900_000 }, declaredBy: { rpo: 'tier', rto: 'tier' } })
    expect(services.web).not.toHaveProperty('verify')
    expect(tiers['1']).toEqual({ name: '1', description: 'money', rpoMs: 300_000, rtoMs: 900_000 })
  })

  test('the shortest interval between drills of a plan that recovers services of several', async () => {
    const of = async (tiers: string, drill?: string) => {
      const { plans } = await catalogOf(
        catalog(tiers, `db: { owner: me, site: here, tier: 1, objectives: { rpo: 1h, rto: 1h } }\n${web}`, drill),
      )
      const { everyMs, gamedayEveryMs } = drillOf(plans.back ?? {})
      return [everyMs, gamedayEveryMs].map((ms) => (ms === undefined ? 'never' : ms / dayMs))
    }
    expect(await of('tiers: { 1: { drill: { every: 7d } }, 2: { drill: { every: 60d, gameday: never } } }')).toEqual([7, 'never'])
    expect(await of('tiers: { 1: { drill: { gameday: 30d } }, 2: { drill: { gameday: never } } }')).toEqual([31, 30])
    expect(await of('tiers: { 1: { drill: { every: 7d } }, 2: {} }', ', drill: { every: 14d }')).toEqual([14, 92])
    expect(await of('')).toEqual([31, 92])
  })

  test('nothing that they say themselves', () =>
    fc.assert(
      fc.asyncProperty(
        fc.record({ own: objectives(), tier: objectives() }).filter(({ own, tier }) => {
          return (own.rpo ?? tier.rpo) !== undefined && (own.rto ?? tier.rto) !== undefined
        }),
        async ({ own, tier }) => {
          const written = (what: object) => JSON.stringify(what)
          const { services } = await catalogOf(
            catalog(
              `tiers: { 1: { objectives: ${written(tier)} } }`,
              `db: { owner: me, site: here, tier: 1, objectives: ${written(own)} }\n${web.replace('tier: 2', 'tier: 1')}`,
            ),
          )
          for (const each of ['rpo', 'rto'] as const) {
            expect(services.db?.objectives[`${each}Ms`]).toBe(Number.parseInt(own[each] ?? tier[each] ?? '', 10) * 60_000)
            expect(services.db?.declaredBy[each]).toBe(own[each] === undefined ? 'tier' : 'service')
          }
        },
      ),
      { numRuns: 25 },
    ))
})

function objectives() {
  const minutes = fc.integer({ min: 1, max: 500 }).map((count) => `${count}m`)
  return fc.record({ rpo: minutes, rto: minutes }, { requiredKeys: [] })
}

test.each([
  ['no objectives anywhere', '', '‸db: { owner: me, site: here, tier: 1 }', /'objectives'.*\{ rpo: 5m, rto: 15m \}.*tiers\.1/],
  [
    'a tier with one of them',
    'tiers: { 1: { objectives: { rto: 1h } } }',
    '‸db: { owner: me, site: here, tier: 1 }',
    /with rpo.*rpo: 5m/,
  ],
  [
    'one of them here, and a tier without the other',
    'tiers: { 1: {} }',
    'db: { owner: me, site: here, tier: 1, ‸objectives: { rpo: 1m } }',
    /no 'rto'.*tiers\.1/,
  ],
  [
    'a tier that is not there',
    'tiers: { 1: {} }',
    'db: { owner: me, site: here, tier: ‸3, objectives: { rpo: 1m, rto: 1m } }',
    /tier 3, which does not exist.*1/,
  ],
  [
    'a tier that is no number',
    'tiers: { ‸gold: {} }',
    'db: { owner: me, site: here, objectives: { rpo: 1m, rto: 1m } }',
    /from 0 to 9/,
  ],
])('%s is a problem at its place', async (_what, tiers, service, said) => {
  const { text, places } = unmark(catalog(tiers, `${service}\n${web.replace('tier: 2, ', '')}`))
  const problems = await problemsOf(text)
  expect(problems.places).toEqual(places)
  expect(problems.said).toMatch(said)
})
