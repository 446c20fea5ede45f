import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { grouped, lintCases, lintHead, sound } from '../../../test/support/lint-cases.ts'
import type { Json } from '../../kernel/index.ts'
import { checkCatalog } from '../load.ts'
import { lints } from './all.ts'
import { hostsIn } from './hosts.ts'

/** The warnings of a catalog, as `CODE LINE:COLUMN`. */
async function warningsOf(text: string, now = new Date('2026-06-01T00:00:00Z')) {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-lints-'))
  try {
    const file = join(folder, 'holdfast.yaml')
    await writeFile(file, lintHead + text)
    const check = await checkCatalog(file, { now })
    if (!check.valid) throw new Error(JSON.stringify(check.problems))
    return check.warnings
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function codesOf(text: string): Promise<string[]> {
  return (await warningsOf(text)).map(({ code }) => code)
}

test('a catalog without a weakness has no warnings', async () => {
  expect(await warningsOf(sound)).toEqual([])
})

describe('each lint finds its weakness, in its place', () => {
  test('there is a case for every lint', () => {
    expect(Object.keys(lintCases).toSorted()).toEqual(lints.map(({ code }) => code).toSorted())
  })

  test.each(Object.entries(lintCases))('%s', async (code, change) => {
    const changed = change(sound)
    expect(changed).not.toBe(sound)
    const found = (await warningsOf(changed)).filter((warning) => warning.code === code)
    expect(found).toHaveLength(1)
    expect(found[0]?.line).toBeGreaterThan(3)
    expect(found[0]?.hint).not.toBe('')
  })
})

test('a database with archived WAL is not bound to the times of its backups', async () => {
  const database = sound
    .replace('{ files: { paths: [/srv] } }', '{ postgres: { url: { env: U }, wal: stream } }')
    .replace('daily at 02:00', 'weekly')
  expect(await codesOf(database)).not.toContain('schedule-misses-rpo')
  expect(await codesOf(database.replace('wal: stream', 'wal: none'))).toContain('schedule-misses-rpo')
})

test('a service that does not say where it is, is in production, once others say it', async () => {
  const text = (db: string, trial: string) =>
    `${sound
      .replace('    site: east\n', `    site: east\n    dependsOn: [trial]\n${db}`)
      .replace(
        'plans:',
        `  trial: { owner: x, onCall: y, site: east, ${trial}objectives: { rpo: 1d, rto: 1h } }\nplans:`,
      )}experiments:
  cut:
    services: [db]
    hypothesis: { title: it answers, probes: [{ name: up, tcp: 'db:1' }] }
    faults: [{ inject: { cut: {} }, for: 5s }]
`
  const messages = async (db: string, trial: string) =>
    (await warningsOf(text(db, trial))).filter(({ code }) => code.endsWith('-environment')).map(({ message }) => message)
  expect(await messages('', 'environment: staging, ')).toEqual([
    'db is in production, and depends on trial, which is in staging',
    'cut runs by the rules of dev, and breaks db, which is in production',
  ])
  expect(await messages('', '')).toEqual([])
  expect(await messages('    environment: development\n', '')).toEqual([])
})

test('of announced maintenance only what is in the way is named, and only what is not over yet', async () => {
  const window = (title: string, when: string) => `{ title: ${title}, services: [db], ${when} }`
  const messages = async (...windows: string[]) =>
    (await warningsOf(`maintenance: { windows: [${windows.join(', ')}] }\n${sound}`)).map(({ message }) => message)
  const noon = window('noon', "from: '12:00', to: '13:00'")
  const before = window('past', 'begins: 2026-05-01T00:00:00Z, ends: 2026-06-01T00:00:00Z')
  expect(await messages(noon, before)).toEqual([])
  expect(
    await messages(
      noon,
      window('night', "from: '01:00', to: '03:00'"),
      window('hall', 'begins: 2026-05-31T00:00:00Z, ends: 2026-06-01T01:00:00Z'),
    ),
  ).toEqual(['hall lasts 1 d 1 h, and db may lose 1 d', 'every backup of db falls into announced maintenance (night)'])
  const monday = window('turn', "days: [sun, mon], from: '06:00', to: '06:00'")
  expect(await messages(monday)).toEqual(['turn lasts 2 d, and db may lose 1 d'])
  // A day that does not follow on the other.
  expect(await messages(monday.replace('sun, mon', 'sun, tue'))).toEqual([])
})

test('a group whose members are backed up at the same times, or go back to any moment, has a common point', async () => {
  expect(await codesOf(grouped(sound, 'daily at 02:00', 'spread: 1m'))).toEqual([])
  const database = grouped(sound, 'daily at 14:00', 'spread: 1m').replace(
    '{ files: { paths: [/srv] } }',
    '{ postgres: { url: { env: U }, wal: stream } }',
  )
  expect(await codesOf(database)).not.toContain('group-out-of-step')
})

test('what is only assumed says so', async () => {
  const web =
    'web: { owner: x, onCall: y, site: east, objectives: { rpo: 1h, rto: 1h }, dependsOn: [pay], recovery: back, health: { tcp: "h:1" } }'
  const text = `external: { pay: { assumed: { rpo: 2h, rto: 4h } } }\n${sound.replace('services:\n', `services:\n  ${web}\n`).replace('recovers: [db]', 'recovers: [db, web]')}`
  expect((await warningsOf(text)).map(({ message }) => message)).toEqual([
    'web must be back in 1 h, and depends on pay, which is assumed to be down for up to 4 h',
    'web may lose 1 h, and its data is in pay, which is assumed to lose up to 2 h',
  ])
})

test('a form for an unreachable site answers what would be lost with it', async () => {
  const stuck = sound.replace('service: db, repository: there', 'service: db, repository: here')
  expect(await codesOf(stuck)).toContain('restores-from-lost-site')
  const withForm = stuck.replace(
    'target: /srv } } }',
    'target: /srv } }, disaster: { do: { files.restore: { service: db, repository: there, target: /srv } } } }',
  )
  expect(await codesOf(withForm)).not.toContain('restores-from-lost-site')
})

test('what is elsewhere too, or is not known to be lost, is no weakness', async () => {
  const contacts =
    "contacts: { y: { phone: '1', site: east }, z: { phone: '2', site: west } }\nescalations: { e: [{ call: y }, { call: z, after: 5m }] }\n"
  const called = contacts + sound.replace('onCall: y', 'escalation: e').replace('owner: x', 'owner: z')
  expect(await codesOf(called)).toEqual([])
  expect(await codesOf(`runners: { a: { site: east }, b: { site: west } }\n${sound}`)).toEqual([])
  const vault = `external: { vault: { site: west, assumed: { rto: 1h } } }\n${sound.replace('    recovers: [db]', '    needs: [vault]\n    recovers: [db]')}`
  expect(await codesOf(vault)).toEqual([])
  // What it brings back itself cannot help it.
  expect(await codesOf(sound.replace('    recovers: [db]', '    needs: [db]\n    recovers: [db]'))).toEqual([
    'needs-what-is-lost',
  ])
})

describe('what a plan calls when its site is lost', () => {
  const messagesOf = async (text: string, code: string) =>
    (await warningsOf(text)).filter((warning) => warning.code === code).map(({ message }) => message)
  const withStep = (step: string) => sound.replace('      - { id: look', `      - { id: more, ${step} }\n      - { id: look`)

  test('is what the form for that says, which may be as lost as what it stands for', async () => {
    const lost = sound.replace(
      'target: /srv } } }',
      'target: /srv } }, disaster: { do: { files.restore: { service: db, repository: here, target: /srv } } } }',
    )
    expect(await messagesOf(lost, 'restores-from-lost-site')).toEqual([
      'the disaster form of step restore of back restores from here, which stands at east: it cannot work when east is lost',
    ])
    expect(await codesOf(lost.replace('disaster: { do: {', 'disaster: { skip: x } }\n      # {{{{ {'))).toEqual([])
  })

  test('and its checks, of either form', async () => {
    const asks = "check: { http.check: { url: 'http://api.east.example/' } }"
    expect(await messagesOf(withStep(`do: { shell: { run: a } }, ${asks}`), 'acts-on-lost-host')).toEqual([
      'the check of step more of back talks to api.east.example, which is at east: it cannot work when east is lost',
    ])
    const inForm = withStep(`do: { shell: { run: a } }, disaster: { do: { shell: { run: b } }, ${asks} }`)
    expect(await messagesOf(inForm, 'acts-on-lost-host')).toEqual([
      'the check of the disaster form of step more of back talks to api.east.example, which is at east: it cannot work when east is lost',
    ])
  })
})

test('a machine is meant only where one can be: a service, a table and a user may have the same name', () => {
  const hosts = (kind: string, params: Json) => hostsIn({ kind, params })
  expect(hosts('files.restore', { service: 'db', target: '/srv/db' })).toEqual([])
  expect(hosts('sql.check', { service: 'db', sql: 'select count(*) from db' })).toEqual([])
  expect(hosts('http.check', { url: 'http://db/health' })).toEqual(['db'])
  expect(hosts('sql.check', { url: 'postgres://me:word@db:5432/db' })).toEqual(['db'])
  expect(hosts('sql.check', { url: 'host=db dbname=shop' })).toEqual(['db'])
  expect(hosts('tcp.check', { at: 'db:5432' })).toEqual(['db'])
  expect(hosts('ssh', { host: 'db', run: ['systemctl', 'stop', 'db'] })).toEqual(['db'])
  expect(hosts('dns.update', { server: 'db', zone: 'example.com.' })).toContain('db')
  expect(hosts('shell', { run: ['ssh', 'db'] })).toContain('db')
  expect(hosts('haproxy.server', { address: '10.1.0.5', server: 'db' })).toEqual(['10.1.0.5'])
})

describe('a plan that others use as a step', () => {
  const used = (more = '') =>
    `external: { vault: { site: east, assumed: { rto: 1h } } }\n${sound.replace('      - { id: look', '      - { id: more, plan: part }\n      - { id: look')}  part:${more}\n    steps: [{ id: a, do: { shell: { run: x } }, check: { sql.check: {} } }]\n`

  test('is used, and one that only a parameter without a default keeps from being run is not', async () => {
    expect(await codesOf(used())).toEqual([])
    const unused = `${sound}  part:\n    params: { p: {} }\n    steps: [{ id: a, do: { shell: { run: x } }, check: { sql.check: {} } }]\n`
    expect(await codesOf(unused)).toEqual(['unused-plan'])
  })

  test('gives what it needs to those that use it', async () => {
    const found = (await warningsOf(used('\n    needs: [vault]'))).filter(({ code }) => code === 'needs-what-is-lost')
    expect(found.map(({ message }) => message)).toEqual(['the plan back needs vault, which is at east, as what it recovers'])
  })
})

describe('what is accepted', () => {
  const accepted = (until: string, more = '') =>
    `${sound.replace('immutableFor: 30d, ', '')}accepted:\n  - { lint: no-immutable-copy, because: the vault has no lock yet, by: CTO, until: '${until}'${more} }\n`

  test('is shown with who decided it, until its last day is over everywhere', async () => {
    const [warning] = await warningsOf(accepted('2026-05-31'), new Date('2026-06-01T11:00:00Z'))
    expect(warning).toMatchObject({ code: 'no-immutable-copy', accepted: { by: 'CTO', until: '2026-05-31' } })
    const after = await warningsOf(accepted('2026-05-31'), new Date('2026-06-01T12:01:00Z'))
    expect(after.map(({ code, accepted: risk }) => [code, risk])).toEqual([
      ['no-immutable-copy', undefined],
      ['acceptance-expired', undefined],
    ])
  })

  test('counts for what it names only', async () => {
    expect(await warningsOf(accepted('2026-12-31', ', of: other'))).toMatchObject([{ code: 'no-immutable-copy' }])
    expect((await warningsOf(accepted('2026-12-31', ', of: other')))[0]?.accepted).toBeUndefined()
    expect((await warningsOf(accepted('2026-12-31', ', of: db')))[0]?.accepted).toBeDefined()
  })

  test('must be something that exists', async () => {
    const wrong = accepted('2026-12-31').replace('lint: no-immutable-copy', 'lint: no-imutable-copy')
    expect((await codesOf(wrong)).toSorted()).toEqual(['acceptance-of-nothing', 'no-immutable-copy'])
  })
})
