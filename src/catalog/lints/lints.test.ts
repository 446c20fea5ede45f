import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { checkCatalog } from '../load.ts'
import { lints } from './all.ts'

const head = `version: 1
name: acme
sites: { east: { region: us-east-1 }, west: { region: us-west-2 } }
`

/** The warnings of a catalog, as `CODE LINE:COLUMN`. */
async function warningsOf(text: string, now = new Date('2026-06-01T00:00:00Z')) {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-lints-'))
  try {
    const file = join(folder, 'holdfast.yaml')
    await writeFile(file, head + text)
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

const repositories = `repositories:
  here: { url: /r/here, site: east, password: { env: A } }
  there: { url: /r/there, site: west, media: object-storage, immutableFor: 30d, password: { env: B } }
`
/** A service that no lint finds fault with. */
const sound = `${repositories}services:
  db:
    owner: x
    onCall: y
    site: east
    objectives: { rpo: 1d, rto: 1h }
    data: { files: { paths: [/srv] } }
    backup: { schedule: daily at 02:00, to: [here, there], keep: { daily: 30 } }
    verify: { restoreTest: weekly }
    recovery: back
plans:
  back:
    recovers: [db]
    steps:
      - { id: restore, do: { files.restore: { service: db, repository: there, target: /srv } } }
      - { id: look, do: { http.check: { url: 'http://x/' } }, after: [restore] }
`

/** The same with a second database that is backed up by another schedule, and both in a group. */
function grouped(text: string, schedule: string, group: string): string {
  const db = /^ {2}db:\n(?: {4}.*\n)+/m.exec(text)?.[0] ?? ''
  const other = db.replace('db:', 'other:').replace('daily at 02:00', schedule).replace('rpo: 1d', 'rpo: 7d')
  return `groups: { both: { members: [db, other], ${group} } }\n${text.replace(db, `${db}${other}`).replace('recovers: [db]', 'recovers: [db, other]')}`
}

test('a catalog without a weakness has no warnings', async () => {
  expect(await warningsOf(sound)).toEqual([])
})

describe('each lint finds its weakness, in its place', () => {
  const cases: Record<string, (text: string) => string> = {
    'one-copy': (text) => text.replace('to: [here, there]', 'to: there'),
    'no-off-site-copy': (text) => text.replace('site: west, media', 'site: east, media'),
    'one-medium': (text) => text.replace('media: object-storage, ', ''),
    'no-immutable-copy': (text) => text.replace('immutableFor: 30d, ', ''),
    'shared-password': (text) => text.replace('env: B', 'env: A'),
    'no-backup': (text) => text.replace(/ {4}backup: .*\n/, ''),
    'schedule-misses-rpo': (text) => text.replace('daily at 02:00', 'weekly'),
    'no-schedule': (text) => text.replace('schedule: daily at 02:00, ', ''),
    'no-retention': (text) => text.replace(', keep: { daily: 30 }', ''),
    'retention-too-short': (text) => text.replace('daily: 30', 'daily: 7'),
    'no-restore-test': (text) => text.replace(/ {4}verify: .*\n/, ''),
    'no-plan': (text) => text.replace('    recovery: back\n', ''),
    'no-owner': (text) => text.replace('    owner: x\n', ''),
    'owner-without-contact': (text) => `contacts: { xx: { phone: '1' } }\n${text.replace('owner: x', 'owner: x-x-x')}`,
    'escalation-too-slow': (text) =>
      `contacts: { x: { phone: '1' } }\nescalations: { e: [{ call: x }, { call: x, after: 1h }] }\n${text.replace('onCall: y', 'escalation: e')}`,
    'no-on-call': (text) => text.replace('    onCall: y\n', ''),
    'unused-plan': (text) => text.replace('    recovers: [db]\n', '').replace('    recovery: back\n', ''),
    'nothing-checked': (text) => text.replace(/ {6}- \{ id: look.*\n/, ''),
    'restores-from-lost-site': (text) => text.replace('service: db, repository: there', 'service: db'),
    'acts-in-lost-region': (text) =>
      text.replace(
        '      - { id: look',
        '      - { id: start, do: { aws.ec2.start: { region: us-east-1, instances: [i-1] } } }\n      - { id: look',
      ),
    'acts-on-lost-cluster': (text) =>
      `clusters: { k: { kubeconfig: { file: /k }, site: east } }\n${text.replace('      - { id: look', '      - { id: scale, do: { kubernetes.scale: { cluster: k } } }\n      - { id: look')}`,
    'unused-repository': (text) =>
      text.replace('repositories:\n', 'repositories:\n  spare: { url: /s, site: west, password: { env: C } }\n'),
    'dependency-takes-longer': (text) =>
      text
        .replace(
          'services:\n',
          'services:\n  api: { owner: x, onCall: y, site: east, objectives: { rpo: 1d, rto: 5m }, dependsOn: [db], recovery: back, health: { http: "http://x/" } }\n',
        )
        .replace('recovers: [db]', 'recovers: [db, api]'),
    'dependency-loses-more': (text) =>
      text
        .replace(
          'services:\n',
          'services:\n  api: { owner: x, onCall: y, site: east, objectives: { rpo: 1h, rto: 1h }, dependsOn: [db], recovery: back, health: { http: "http://x/" } }\n',
        )
        .replace('recovers: [db]', 'recovers: [db, api]'),
    'no-health-check': (text) =>
      text
        .replace(
          'services:\n',
          'services:\n  api: { owner: x, onCall: y, site: east, objectives: { rpo: 1d, rto: 1h }, recovery: back }\n',
        )
        .replace('recovers: [db]', 'recovers: [db, api]'),
    'group-misses-rpo': (text) => grouped(text, 'weekly', 'rpo: 1d'),
    'group-out-of-step': (text) => grouped(text, 'daily at 14:00', 'spread: 1h'),
    'no-services': () => 'services: {}\n',
    'nothing-assumed': (text) =>
      `external: { dns: {} }\n${text.replace('    recovery: back', '    dependsOn: [dns]\n    recovery: back')}`,
  }

  test('there is a case for every lint', () => {
    expect(Object.keys(cases).toSorted()).toEqual(lints.map(({ code }) => code).toSorted())
  })

  test.each(Object.entries(cases))('%s', async (code, change) => {
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
