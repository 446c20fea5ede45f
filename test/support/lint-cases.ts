/** What catalogs of these tests begin with: three sites, of which two are under one account. */
export const lintHead = `version: 1
name: acme
sites: { east: { region: us-east-1, account: one, hosts: ['*.east.example'] }, west: { region: us-west-2, account: two }, south: { account: one } }
`

const repositories = `repositories:
  here: { url: /r/here, site: east, password: { env: A } }
  there: { url: /r/there, site: west, media: object-storage, immutableFor: 30d, password: { env: B } }
`
/** A service that no lint finds fault with. */
export const sound = `${repositories}services:
  db:
    owner: x
    onCall: y
    site: east
    objectives: { rpo: 1d, rto: 1h }
    data: { files: { paths: [/srv] } }
    backup: { schedule: daily at 02:00, to: [here, there], keep: { daily: 30 } }
    verify: { check: daily, restoreTest: weekly }
    recovery: back
plans:
  back:
    recovers: [db]
    steps:
      - { id: restore, do: { files.restore: { service: db, repository: there, target: /srv } } }
      - { id: look, do: { http.check: { url: 'http://x/' } }, after: [restore] }
`

/** The same with a second database that is backed up by another schedule, and both in a group. */
export function grouped(text: string, schedule: string, group: string): string {
  const db = /^ {2}db:\n(?: {4}.*\n)+/m.exec(text)?.[0] ?? ''
  const other = db.replace('db:', 'other:').replace('daily at 02:00', schedule).replace('rpo: 1d', 'rpo: 7d')
  return `groups: { both: { members: [db, other], ${group} } }\n${text.replace(db, `${db}${other}`).replace('recovers: [db]', 'recovers: [db, other]')}`
}

/** With another step in its plan. */
function withStep(text: string, action: string): string {
  return text.replace('      - { id: look', `      - { id: more, do: { ${action} } }\n      - { id: look`)
}

/** For each lint what gives `sound` the weakness that it finds. */
export const lintCases: Readonly<Record<string, (text: string) => string>> = {
  'depends-on-lesser-environment': (text) =>
    text
      .replace('    site: east\n', '    site: east\n    environment: production\n    dependsOn: [trial]\n')
      .replace(
        'plans:',
        `  trial: { owner: x, onCall: y, site: east, environment: staging, objectives: { rpo: 1d, rto: 1h } }\nplans:`,
      ),
  'experiment-in-greater-environment': (text) =>
    `${text.replace('    site: east\n', '    site: east\n    environment: staging\n')}experiments:
  cut:
    services: [db]
    hypothesis: { title: it answers, probes: [{ name: up, tcp: 'db:1' }] }
    faults: [{ inject: { cut: {} }, for: 5s }]
`,
  'schedule-in-maintenance': (text) =>
    `maintenance: { windows: [{ title: t, services: [db], from: '01:00', to: '03:00' }] }\n${text}`,
  'maintenance-exceeds-rpo': (text) =>
    `maintenance: { windows: [{ title: t, sites: [east], days: [sat, sun], from: '00:00', to: '00:00' }] }\n${text}`,
  'no-check': (text) => text.replace('check: daily, ', ''),
  'nothing-asserted': (text) => text.replace('{ files: { paths: [/srv] } }', '{ postgres: { url: { env: U }, wal: stream } }'),
  'immutable-too-short': (text) => text.replace('immutableFor: 30d', 'immutableFor: 3d'),
  'one-account': (text) => text.replace('site: west, media', 'site: south, media'),
  'never-drilled': (text) =>
    text.replace('    recovers: [db]\n', '    recovers: [db]\n    drill: { every: never, gameday: never }\n'),
  'needs-what-is-lost': (text) =>
    `external: { vault: { site: east, assumed: { rto: 1h } } }\n${text.replace('    recovers: [db]\n', '    recovers: [db]\n    needs: [vault]\n')}`,
  'runner-at-lost-site': (text) => `runners: { ops: { site: east } }\n${text}`,
  'approver-at-lost-site': (text) => `contacts: { ann: { phone: '1', site: east } }\n${withStep(text, 'approve: { by: [ann] }')}`,
  'on-call-at-lost-site': (text) => `contacts: { y: { phone: '1', site: east } }\n${text}`,
  'acts-on-lost-host': (text) => withStep(text, 'shell: { run: [nsupdate, "ns1.East.example:53"] }'),
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
  'acts-in-lost-region': (text) => withStep(text, 'aws.ec2.start: { region: us-east-1, instances: [i-1] }'),
  'acts-on-lost-cluster': (text) =>
    `clusters: { k: { kubeconfig: { file: /k }, site: east } }\n${withStep(text, 'kubernetes.scale: { cluster: k }')}`,
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
