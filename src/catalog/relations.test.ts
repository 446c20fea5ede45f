import { describe, expect, test } from 'vitest'
import { catalogText, problemsOf, unmark, type CatalogParts } from '../../test/support/marked-catalog.ts'

const wait = 'do: { wait: { for: 1s } }'
const rest = 'owner: me, site: here, objectives: { rpo: 1m, rto: 1m }'

const cases: readonly (readonly [what: string, parts: CatalogParts, codes: readonly string[], said?: RegExp])[] = [
  [
    'an unknown site',
    { db: 'owner: me\nsite: ‸hare\nobjectives: { rpo: 5m, rto: 15m }' },
    ['unknown-reference'],
    /the site 'hare'.*did you mean 'here'/,
  ],
  [
    'an unknown site of a repository',
    { repository: '{ url: /n, site: ‸thre, password: { env: A } }' },
    ['unknown-reference'],
    /did you mean 'there'/,
  ],
  ['an unknown repository', { more: 'backup: { to: [nas, ‸naz] }' }, ['unknown-reference'], /did you mean 'nas'/],
  ['an unknown repository alone', { more: 'backup: { to: ‸naz }' }, ['unknown-reference'], /did you mean 'nas'/],
  ['an unknown service', { more: 'dependsOn: [‸bd]' }, ['unknown-reference'], /did you mean 'db'/],
  ['an unknown plan', { more: 'recovery: ‸back' }, ['unknown-reference'], /there is none under 'plans'/],
  ['an unknown step', { steps: `- { id: a, ${wait}, after: [‸b] }` }, ['unknown-reference'], /a step in this plan: a/],
  ['a name twice in a list', { more: 'backup: { to: [nas, ‸nas] }' }, ['duplicate-entry'], /names 'nas' twice/],
  ['a service that depends on itself', { more: 'dependsOn: [‸db]' }, ['dependency-cycle'], /db → db/],
  [
    'services that depend on each other',
    {
      more: 'dependsOn: [api]',
      services: `api: { ${rest}, dependsOn: [web] }\nweb: { ${rest}, dependsOn: [api, ‸db] }`.replace('[api, ', '['),
    },
    ['dependency-cycle'],
    /db → api → web → db/,
  ],
  [
    'two cycles',
    { services: `a: { ${rest}, dependsOn: [b] }\nb: { ${rest}, dependsOn: [‸a] }\nc: { ${rest}, dependsOn: [db, ‸c] }` },
    ['dependency-cycle', 'dependency-cycle'],
    /a → b → a[^]*c → c/,
  ],
  ['a step id twice', { steps: `- { id: a, ${wait} }\n- { id: ‸a, ${wait} }` }, ['duplicate-id'], /line 15 has it first/],
  ['a step that waits for itself', { steps: `- { id: a, ${wait}, after: [‸a] }` }, ['step-cycle'], /a → a/],
  [
    'steps that wait for each other',
    { steps: `- { id: a, ${wait}, after: [b] }\n- { id: b, ${wait}, after: [‸a] }` },
    ['step-cycle'],
    /a → b → a/,
  ],
  [
    'an output of no step',
    { steps: '- { id: a, do: { shell: { run: "echo ‸${steps.b.x}" } } }' },
    ['unknown-reference'],
    /the step 'b'/,
  ],
  [
    'an output of a step that need not be done',
    { steps: `- { id: a, ${wait} }\n- { id: b, do: { shell: { run: ["‸\${steps.a.x}"] } } }` },
    ['unknown-reference'],
    /after: \[a\]/,
  ],
  [
    'an output of the step itself',
    { steps: '- { id: a, do: { shell: { run: "‸${steps.a.x}" } } }' },
    ['unknown-reference'],
    /before it is done/,
  ],
  [
    'an output of the step itself, in its check',
    { steps: '- { id: a, do: { x: {} }, check: { shell: { run: "${steps.a.x}" } } }' },
    [],
  ],
  [
    'an output of a step before the one before',
    {
      steps: `- { id: a, ${wait} }\n- { id: b, ${wait}, after: [a] }\n- { id: c, after: [b], do: { shell: { run: "\${steps.a.x}" } } }`,
    },
    [],
  ],
  ['a step that neither does anything nor uses a plan', { steps: '- ‸id: a' }, ['missing'], /has no 'do'/],
  [
    'a parameter that the plan does not have',
    { steps: '- { id: a, do: { x: { y: ‸"${params.nmae}" } } }' },
    ['unknown-reference'],
    /no parameter 'nmae'/,
  ],
  [
    'a group that the plan does not have',
    { steps: `- { id: a, ${wait}, group: ‸hosts }` },
    ['unknown-reference'],
    /groups: \{ hosts/,
  ],
  ['a plan that uses itself', { steps: '- { id: a, plan: ‸back }' }, ['plan-cycle'], /back → back/],
  [
    'what belongs to an action, at a step that uses a plan',
    { steps: `- { id: a, plan: ‸back, ‸timeout: 5m, ‸with: { ‸x: 1 } }`.replace('‸with', 'with') },
    ['plan-cycle', 'unknown-key', 'unknown-key'],
    /'timeout' is of an action[^]*no parameter 'x'/,
  ],
  ['parameters for no plan', { steps: `- { id: a, ${wait}, ‸with: { x: 1 } }` }, ['unknown-key'], /uses none/],
]

describe('a relation that does not hold is reported at its line and column', () => {
  test.each(cases.map(([what, parts, codes, said = /^/]) => ({ what, parts, codes, said })))(
    '$what',
    async ({ parts, codes, said }) => {
      const { text, places } = unmark(catalogText(parts))
      const found = await problemsOf(text)
      expect(found).toMatchObject({ codes, places })
      expect(found.said).toMatch(said)
    },
  )
})

test('a service may name only a plan that brings it back', async () => {
  const { text, places } = unmark(
    `${catalogText({ more: 'recovery: ‸web', services: `web: { ${rest}, recovery: web }` })}plans: { web: { recovers: [web], steps: [{ id: a, ${wait} }] } }`,
  )
  const found = await problemsOf(text)
  expect(found).toMatchObject({ codes: ['wrong-value'], places })
  expect(found.said).toMatch(/recovers: \[web, db\] in plans\.web/)
})

test('what is wrong with one thing does not hide what is wrong with another', async () => {
  const { text, places } = unmark(
    catalogText({
      head: '‸version: 1\n‸nmae: test',
      repository: '{ url: /n, site: ‸nowhere, media: ‸dsk, password: ‸hunter2 }',
      db: '‸owner: me\n‸ste: here\nobjectives: { rpo: ‸5, rto: 15m }\ndependsOn: [‸db]',
      steps: `- { id: a, ${wait} }\n- { id: ‸a, ${wait} }`,
    }),
  )
  const found = await problemsOf(text)
  expect(found.places).toEqual(places)
  expect(found.codes).toEqual([
    'missing',
    'unknown-key',
    'unknown-reference',
    'wrong-value',
    'plain-secret',
    'missing',
    'unknown-key',
    'unit-missing',
    'dependency-cycle',
    'duplicate-id',
  ])
})

test('plans that use plans: parameters that are missing, outputs that are not there, decisions that are not theirs', async () => {
  const plans = `plans:
  part: { commit: { within: 1m, else: ask }, params: { host: {}, port: { default: 1 } }, steps: [{ id: a, ${wait} }] }
  back:
    recovers: [db]
    steps:
      - { id: ok, plan: ‸‸part }
      - { id: late, after: [ok], do: { x: { y: "\${steps.ok/a.z}", z: "‸\${steps.ok/b.z}", w: "‸\${steps.ok.z}" } } }
      - { id: early, do: { x: { y: "‸\${steps.ok/a.z}" } } }
`
  const { text, places } = unmark(catalogText({}) + plans)
  const found = await problemsOf(text)
  expect(found.places).toEqual(places)
  expect(found.said).toMatch(/needs its parameter 'host'/)
  expect(found.said).toMatch(/has 'commit', which only the plan that is run can have/)
  expect(found.said).toMatch(/'ok\/b' is used, which does not exist[^]*'ok' is used, which does not exist[^]*after: \[ok\]/)
})

test('a service cannot name a plan that needs parameters', async () => {
  const plans = `plans: { part: { recovers: [db], params: { host: {} }, steps: [{ id: a, ${wait} }] } }\n`
  const { text, places } = unmark(catalogText({ more: 'recovery: ‸part' }) + plans)
  const found = await problemsOf(text)
  expect(found).toMatchObject({ codes: ['wrong-value'], places })
  expect(found.said).toMatch(/its parameters host have no default/)
})
