import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { catalogText, problemsOf, unmark, type CatalogParts } from '../../test/support/marked-catalog.ts'
import { durationText, sizeText } from './index.ts'

const actionParams = {
  shell: z.strictObject({ run: z.string(), env: z.record(z.string(), z.string()).optional() }),
  wait: z.strictObject({ for: durationText, atMost: sizeText.optional() }),
  'sql.check': z.strictObject({ url: z.string(), sql: z.string(), atLeast: z.number().optional() }),
}

const faultParams = {
  'process.kill': z.strictObject({ target: z.strictObject({ pid: z.int().optional(), name: z.string().optional() }) }),
  'network.rate': z.strictObject({ interface: z.string(), rate: sizeText }),
}

const site = 'owner: me\nsite: here\n'

/** What is wrong; a catalog in which ‸ stands before each place; the code of each problem; what must be said of them. */
type Case = readonly [what: string, parts: CatalogParts, codes: readonly string[], said?: RegExp]

const shape: readonly Case[] = [
  ['nothing', {}, []],
  ['a misspelt key', { more: '‸onCal: x' }, ['unknown-key'], /unknown key 'onCal'.*did you mean 'onCall'/],
  [
    'a text with a comma, not in quotes',
    { db: `owner: me\nsite: here\nobjectives: { rpo: 5m, rto: 15m, ‸or so }` },
    ['unknown-key'],
    /comma needs quotes/,
  ],
  ['a key at the wrong level', { more: '‸rpo: 5m' }, ['unknown-key'], /belongs under 'objectives'/],
  ['objectives that are missing', { db: `‸${site}` }, ['missing'], /write `objectives: \{ rpo: 5m, rto: 15m \}`/],
  ['one objective that is missing', { db: `${site}‸objectives: { rpo: 5m }` }, ['missing'], /has no 'rto'/],
  ['a key without a value', { db: `${site}‸objectives:` }, ['missing'], /has no value/],
  ['a list instead of a map', { db: `${site}objectives: ‸[5m, 15m]` }, ['wrong-type'], /a map with rpo, rto/],
  ['a text instead of a list', { more: 'dependsOn: ‸db' }, ['wrong-type'], /write a list: \[db\]/],
  ['a number instead of a text', { more: 'onCall: ‸+15550100' }, ['wrong-type'], /write it in quotes: "\+15550100"/],
  ['a text instead of a number', { more: 'tier: ‸"1"' }, ['wrong-type'], /write 1 without quotes/],
  ['a fraction instead of a whole number', { more: 'tier: ‸1.5' }, ['wrong-type'], /whole number from 0 to 9/],
  ['a number out of range', { more: 'tier: ‸12' }, ['wrong-value'], /from 0 to 9/],
  ['a port out of range', { more: 'data: { postgres: { url: { env: U }, port: ‸99999 } }' }, ['wrong-value'], /1 to 65535/],
  [
    'a misspelt choice',
    { more: 'data: { postgres: { url: { env: U }, wal: ‸strem } }' },
    ['wrong-value'],
    /did you mean 'stream'/,
  ],
  ['yes, which is a text', { more: 'data: { files: { paths: [/a], oneFileSystem: ‸yes } }' }, ['wrong-type'], /write true/],
  ['no, which is a text', { more: 'data: { files: { paths: [/a], oneFileSystem: ‸no } }' }, ['wrong-type'], /write false/],
  ['a relative path', { more: 'data: { files: { paths: [‸a] } }' }, ['wrong-value'], /absolute path/],
  ['data of no kind', { more: 'data: ‸{}' }, ['wrong-value'], /postgres, files or both/],
  ['a schedule that is none', { more: 'backup: { to: nas, schedule: ‸dayly at 2 }' }, ['wrong-value'], /daily at 02:00/],
  ['a backup to nowhere', { more: 'backup: { to: ‸[] }' }, ['wrong-value'], /at least one/],
  ['a keep without a rule', { more: 'backup: { to: nas, keep: ‸{} }' }, ['wrong-value'], /at least one rule/],
  ['no assertion at all', { more: 'verify: { assert: ‸[] }' }, ['wrong-value'], /at least one/],
  [
    'an assertion that compares nothing',
    { more: 'verify: { assert: [‸{ sql: select 1 }] }' },
    ['wrong-value'],
    /atLeast, atMost or equals/,
  ],
  [
    'two ways to look at health',
    { more: 'health: ‸{ tcp: "h:1", http: "http://h" }' },
    ['wrong-value'],
    /exactly one of http and tcp/,
  ],
  [
    'a quorum of more than there are',
    { steps: '- { id: a, do: { wait: { for: 1s } }, ‸wen: 1 }' },
    ['unknown-key'],
    /did you mean 'when'/,
  ],
  ['a name that cannot be one', { services: '‸a/b: {}' }, ['bad-key'], /'a\/b' cannot be a name/],
  ['another version', { head: 'version: ‸2\nname: test' }, ['wrong-value']],
  ['no version', { head: '# a comment\n‸name: test' }, ['missing'], /version: 1/],
]

const units: readonly Case[] = [
  ['a bare number', { db: `${site}objectives: { rpo: ‸5, rto: 15m }` }, ['unit-missing'], /5 without a unit.*write 5s, 5m or 5h/],
  ['a bare number in quotes', { db: `${site}objectives: { rpo: ‸"5", rto: 15m }` }, ['unit-missing'], /write 5s, 5m or 5h/],
  ['a bare zero', { db: `${site}objectives: { rpo: ‸0, rto: 15m }` }, ['unit-missing']],
  ['a negative number', { db: `${site}objectives: { rpo: ‸-5, rto: 15m }` }, ['wrong-type']],
  ['words', { db: `${site}objectives: { rpo: ‸5 minutes, rto: 15m }` }, ['wrong-unit'], /did you mean 5m\?/],
  ['several words', { db: `${site}objectives: { rpo: ‸1 hour 30 min, rto: 15m }` }, ['wrong-unit'], /did you mean 1h30m\?/],
  ['months, which differ', { db: `${site}objectives: { rpo: ‸1 month, rto: 15m }` }, ['wrong-unit'], /^(?!.*did you mean)/],
  ['a size', { db: `${site}objectives: { rpo: ‸5MiB, rto: 15m }` }, ['wrong-unit'], /the size 5MiB, not a duration/],
]

const secrets: readonly Case[] = [
  ['a password', { repository: '{ url: /n, site: there, password: ‸hunter2 }' }, ['plain-secret'], /\{ env: NAME \}/],
  ['a password of digits', { repository: '{ url: /n, site: there, password: ‸12345678 }' }, ['plain-secret']],
  [
    'a password in an address',
    { repository: '{ url: ‸"s3://u:hunter2@h/x", site: there, password: { env: A } }' },
    ['plain-secret'],
  ],
  ['a database password', { more: 'data: { postgres: { url: ‸"postgres://u:hunter2@h/db" } }' }, ['plain-secret']],
  ['a password as a parameter', { more: 'data: { postgres: { url: ‸"postgres://h/db?password=hunter2" } }' }, ['plain-secret']],
  [
    'a password in the environment of a step',
    { steps: '- { id: a, do: { shell: { run: x, env: { PGPASSWORD: ‸hunter2 } } } }' },
    ['plain-secret'],
  ],
  [
    'two places for one secret',
    { repository: '{ url: /n, site: there, password: ‸{ env: A, file: b } }' },
    ['wrong-value'],
    /exactly one of/,
  ],
  ['no place for a secret', { repository: '{ url: /n, site: there, password: ‸{} }' }, ['wrong-value'], /exactly one of/],
  [
    'a misspelt reference',
    { repository: '{ url: /n, site: there, password: { ‸evn: A } }' },
    ['unknown-key'],
    /did you mean 'env'/,
  ],
  [
    'a name that no variable has',
    { repository: '{ url: /n, site: there, password: { env: ‸"hunter2!" } }' },
    ['wrong-value'],
    /^(?!.*hunter2)/,
  ],
]

const actions: readonly Case[] = [
  [
    'an unknown action',
    { steps: '- { id: a, do: { ‸sql.chek: {} } }' },
    ['unknown-action'],
    /no action 'sql.chek'.*did you mean 'sql.check'/,
  ],
  [
    'two actions in one step',
    { steps: '- { id: a, do: ‸{ wait: { for: 5s }, shell: { run: x } } }' },
    ['wrong-value'],
    /has wait, shell.*exactly one action/,
  ],
  ['no action', { steps: '- { id: a, do: ‸{} }' }, ['wrong-value'], /exactly one action/],
  ['a misspelt parameter', { steps: '- { id: a, do: { wait: { for: 5s, ‸fro: 5s } } }' }, ['unknown-key'], /did you mean 'for'/],
  ['a missing parameter', { steps: '- { id: a, do: { ‸wait: {} } }' }, ['missing'], /has no 'for'/],
  ['a parameter without its unit', { steps: '- { id: a, do: { wait: { for: ‸5 } } }' }, ['unit-missing']],
  [
    'a parameter of the wrong type',
    { steps: '- { id: a, do: { sql.check: { url: x, sql: x, atLeast: ‸yes } } }' },
    ['wrong-type'],
    /a number/,
  ],
  [
    'a misspelt member of a check',
    { steps: '- { id: a, do: { wait: { for: 5s } }, check: { wait: { for: 5s }, ‸evry: 5s } }' },
    ['unknown-key'],
    /did you mean 'every'/,
  ],
  ['an unknown action as undo', { steps: '- { id: a, do: { wait: { for: 5s } }, undo: { ‸nothing: {} } }' }, ['unknown-action']],
]

const faults: readonly Case[] = [
  ['a fault with its parameters', { faults: '- { inject: { process.kill: { target: { pid: 12 } } }, for: 1s }' }, []],
  [
    'an unknown fault',
    { faults: '- { inject: { ‸proces.kill: { target: { pid: 12 } } } }' },
    ['unknown-fault'],
    /no fault 'proces.kill' \| one of process.kill, network.rate \| did you mean 'process.kill'/,
  ],
  [
    'an unknown parameter of a fault',
    { faults: '- { inject: { process.kill: { target: { ‸pidd: 12 } } } }' },
    ['unknown-key'],
    /experiments.try.faults\[0\].inject.process.kill.target has an unknown key 'pidd' \| one of pid, name/,
  ],
  ['a parameter of another type', { faults: '- { inject: { process.kill: { target: { pid: ‸x } } } }' }, ['wrong-type'], /whole/],
  [
    'a parameter without its unit',
    { faults: '- { inject: { network.rate: { interface: eth0, rate: ‸5 } } }' },
    ['unit-missing'],
    /inject.network.rate.rate/,
  ],
  ['a parameter that is missing', { faults: '- { inject: { ‸network.rate: { rate: 5MiB } } }' }, ['missing'], /interface/],
  [
    'two faults in one',
    { faults: '- { inject: ‸{ process.kill: { target: {} }, network.rate: { interface: a, rate: 1MiB } } }' },
    ['wrong-value'],
    /exactly one fault/,
  ],
]

describe.each([
  ['shape', shape],
  ['units', units],
  ['secrets', secrets],
  ['actions', actions],
  ['faults', faults],
] as const)('%s: a problem is reported at its line and column', (_group, cases) => {
  test.each(cases.map(([what, parts, codes, said = /^/]) => ({ what, parts, codes, said })))(
    '$what',
    async ({ parts, codes, said }) => {
      const { text, places } = unmark(catalogText(parts))
      const found = await problemsOf(text, { actionParams, faultParams })
      expect(found).toMatchObject({ codes, places })
      expect(found.said).toMatch(said)
    },
  )
})

test('without the actions’ parameters any action is accepted', async () => {
  const steps = '- { id: a, do: { aws.rds.promote: { replica: x } }, check: { http.check: { url: x }, every: 5s } }'
  expect((await problemsOf(catalogText({ steps }))).said).toBe('')
})

test('an output of an earlier step stands for a value of any type', async () => {
  const step = (atLeast: string) =>
    `- { id: a, do: { wait: { for: 5s } } }\n- { id: b, after: [a], do: { sql.check: { url: x, sql: x, atLeast: ${atLeast} } } }`
  expect((await problemsOf(catalogText({ steps: step('"${steps.a.count}"') }), { actionParams })).codes).toEqual([])
  expect((await problemsOf(catalogText({ steps: step('"$steps.a.count"') }), { actionParams })).codes).toEqual(['wrong-type'])
})
