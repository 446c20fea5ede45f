import { expect, test } from 'vitest'
import { z } from 'zod'
import { checkText, problemsOf, unmark } from '../../test/support/marked-catalog.ts'
import { drillOf } from './drill.ts'

const actionParams = { wait: z.strictObject({ for: z.string() }) }

const withDrill = (drill: string) => `version: 1
name: acme
sites: { here: {} }
services: { db: { owner: me, site: here, objectives: { rpo: 1m, rto: 1m } } }
plans:
  back:
    recovers: [db]
    steps: [{ id: dns, do: { wait: { for: 1s } } }]
    drill: ${drill}
`

test('a drill is read with its units and defaults; a plan that says nothing is drilled monthly, and quarterly for real', async () => {
  const check = await checkText(
    withDrill(
      '{ substitute: { dns: { do: { wait: { for: 2s } }, check: { wait: { for: 3s }, every: 5s } } }, allow: { hosts: [a.example] }, every: 7d, gameday: never }',
    ),
    { actionParams },
  )
  if (!check.valid) throw new Error(JSON.stringify(check.problems))
  expect(check.catalog.plans.back?.drill).toEqual({
    substitute: {
      dns: {
        do: { kind: 'wait', params: { for: '2s' } },
        check: { kind: 'wait', params: { for: '3s' }, everyMs: 5000, timeoutMs: 60_000 },
      },
    },
    allow: { steps: [], hosts: ['a.example'] },
    approvals: 'answered',
    everyMs: 7 * 86_400_000,
    findings: { dueMs: 14 * 86_400_000 },
    scenarios: {},
  })
  expect(drillOf({})).toMatchObject({
    everyMs: 31 * 86_400_000,
    gamedayEveryMs: 92 * 86_400_000,
    allow: { steps: [], hosts: [] },
  })
})

test.each([
  ['a step that the plan does not have', '{ substitute: { ‸dsn: { skip: why } } }', /did you mean 'dns'/],
  ['an allowed step that the plan does not have', '{ allow: { steps: [‸dsn] } }', /did you mean 'dns'/],
  ['two ways at once', '{ substitute: { dns: ‸{ skip: why, with: { for: 2s } } } }', /one of 'with', 'do' and 'skip'/],
  ['no way', '{ substitute: { dns: ‸{} } }', /one of 'with', 'do' and 'skip'/],
  ['a reason that is none', '{ substitute: { dns: { skip: ‸true } } }', /text/],
  ['an action that does not exist', '{ substitute: { dns: { do: { ‸wiat: { for: 1s } } } } }', /did you mean 'wait'/],
  ['parameters that do not fit', '{ substitute: { dns: { do: { wait: { for: ‸1 } } } } }', /for/],
  ['a host with a path', '{ allow: { hosts: [‸a.example/x] } }', /name or address of a host/],
  ['a bare number', '{ every: ‸31 }', /unit/],
])('%s is a problem at its place', async (_what, drill, said) => {
  const { text, places } = unmark(withDrill(drill))
  const problems = await problemsOf(text, { actionParams })
  expect({ ...problems, places: problems.places }).toMatchObject({ places })
  expect(problems.said).toMatch(said)
})
