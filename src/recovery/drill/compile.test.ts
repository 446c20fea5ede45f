import { describe, expect, test } from 'vitest'
import { passingCheck, planOf, stepThatCounts } from '../../../test/support/plans.ts'
import { actions } from '../../actions/index.ts'
import { drillOf, type Drill } from '../../catalog/index.ts'
import type { Json } from '../../kernel/index.ts'
import type { ActionCall, PlanStep } from '../plan.ts'
import { bindAction } from '../plan-run.ts'
import { compileDrill } from './compile.ts'

const folder = '/srv/drills/run-1'
const bind = ({ kind, params }: ActionCall) => bindAction(actions, kind, params)
const step = (id: string, kind: string, params: Json, more: Partial<PlanStep> = {}): PlanStep =>
  stepThatCounts('', id, { action: { kind, params }, ...more })
const compile = (steps: readonly PlanStep[], drill: Partial<Drill> = {}) =>
  compileDrill(planOf(steps), { ...drillOf({}), ...drill }, { bind, folder })
const outside = (steps: readonly PlanStep[], drill: Partial<Drill> = {}) =>
  compile(steps, drill).findings.map((finding) => finding.step)

const restore = step('restore', 'postgres.restore', { service: 'db', target: '/srv/new' })
const start = step(
  'start',
  'postgres.start',
  { dataDirectory: '/srv/new', port: 5433, socketDirectory: '/run/pg' },
  { after: ['restore'] },
)

describe('the plan of a sandbox drill', () => {
  test('restores into its own folder, starts on a private socket, and has an environment of its own', () => {
    const { plan, findings } = compile([restore, start])
    expect(findings).toEqual([])
    expect(plan.environment).toBe('drill-of-test')
    const [restored, started] = plan.steps.map(({ action }) => action.params)
    expect(restored).toEqual({ service: 'db', target: `${folder}/restore` })
    expect(started).toEqual({ dataDirectory: `${folder}/restore`, listen: 'private', sandbox: true, settings: {} })
  })

  test('follows what was moved wherever a step names it, and nothing that only looks like it', () => {
    const run = "test -s '/srv/new/PG_VERSION' && test ! -e /srv/newer && test ! -e /old/srv/new && ls --all=/srv/new"
    const check = step('check', 'shell', { run, effect: 'read-only' }, { after: ['restore'] })
    const { plan } = compile([restore, check])
    expect(plan.steps[1]?.action.params).toMatchObject({
      run: `test -s '${folder}/restore/PG_VERSION' && test ! -e /srv/newer && test ! -e /old/srv/new && ls --all=${folder}/restore`,
    })
  })

  test('leaves out the undo that the catalog gives a step: it was written for the real place', () => {
    const undo = { kind: 'shell', params: { run: 'rm -r /srv/new' } }
    expect(compile([{ ...restore, undo }]).plan.steps[0]).not.toHaveProperty('undo')
    expect(compile([{ ...restore, undo }], { allow: { steps: ['restore'], hosts: [] } }).plan.steps[0]).toHaveProperty('undo')
  })

  test('skips a step, and says so', () => {
    const dns = stepThatCounts('', 'dns', { after: ['restore'] })
    const { plan, changes, findings } = compile([restore, dns, passingCheck('look', ['dns'])], {
      substitute: { dns: { skip: 'no name is changed' } },
    })
    expect(plan.steps.map(({ id, skip }) => [id, skip])).toEqual([
      ['restore', undefined],
      ['dns', 'no name is changed'],
      ['look', undefined],
    ])
    expect(changes).toEqual([{ step: 'dns', how: 'skipped', because: 'no name is changed' }])
    expect(findings).toEqual([])
  })

  test('does another action instead, without the check of the one that it replaces; or the same with other parameters', () => {
    const check = { kind: 'http.check', params: { url: 'https://shop.example' }, everyMs: 1, timeoutMs: 1 }
    const web = step('web', 'shell', { run: 'systemctl start web', capture: true }, { check })
    const instead = { kind: 'shell', params: { run: ['true'], effect: 'read-only' } }
    const replaced = compile([web], { substitute: { web: { do: instead } } })
    expect(replaced.plan.steps[0]).toMatchObject({ action: { kind: 'shell', params: { run: ['true'] } } })
    expect(replaced.plan.steps[0]).not.toHaveProperty('check')
    expect(replaced.findings).toEqual([])

    const changed = compile([web], {
      substitute: { web: { with: { run: ['true'], effect: 'read-only' }, check: { ...check, ...instead } } },
    })
    expect(changed.plan.steps[0]).toMatchObject({
      action: { params: { run: ['true'], capture: true } },
      check: { kind: 'shell' },
    })
    expect(changed.findings).toEqual([])
    expect(changed.changes.map(({ how }) => how)).toEqual(['rechecked', 'changed'])
  })

  test('answers the steps that ask a person, unless they are to be asked', () => {
    const ask = step('ask', 'approve', {})
    expect(compile([ask]).changes).toMatchObject([{ step: 'ask', how: 'answered' }])
    expect(compile([ask], { approvals: 'asked' }).changes).toEqual([])
  })
})

describe('a step that would leave the sandbox is a blocker', () => {
  test.each<[string, string, Json]>([
    ['a command that may change something', 'shell', { run: 'systemctl start web' }],
    ['a request', 'http.request', { method: 'POST', url: 'https://api.example/up' }],
    ['a look at the real service, which would prove nothing', 'http.check', { url: 'https://shop.example/health' }],
    ['SQL on a database that the drill did not start', 'sql.execute', { url: 'postgresql://db.example/x', sql: 'select 1' }],
    ['SQL on a database behind a secret', 'sql.check', { url: { env: 'URL' }, sql: 'select 1', equals: 1 }],
    [
      'a request whose probe goes elsewhere',
      'http.request',
      { url: '${steps.restore.dataDirectory}', probe: { url: 'https://b.example' } },
    ],
    ['a host that an output is only a part of', 'http.check', { url: 'http://${steps.restore.service}.example/' }],
    ['a folder that an output is only a part of', 'postgres.stop', { dataDirectory: '/var/lib/${steps.restore.service}' }],
    ['a message', 'notify', { message: 'x', webhook: { url: 'https://chat.example/hook' } }],
    ['a fence', 'postgres.fence', { dataDirectory: '/var/lib/postgresql/15/main' }],
    ['a service of this machine', 'service.control', { service: '/etc/service/web', to: 'stop' }],
    [
      'the promotion of a server that was not restored here',
      'postgres.promote',
      { dataDirectory: '/var/lib/postgresql/standby' },
    ],
    ['the stop of one', 'postgres.stop', { dataDirectory: '/var/lib/postgresql/15/main' }],
  ])('%s', (_what, kind, params) => {
    const far = step('far', kind, params)
    expect(outside([restore, far])).toEqual(['far'])
    expect(outside([restore, far], { allow: { steps: ['far'], hosts: [] } })).toEqual([])
    expect(outside([restore, far], { substitute: { far: { skip: 'not here' } } })).toEqual([])
  })

  test('also by its check, and by what another such step gave it', () => {
    const check = { kind: 'http.check', params: { url: 'https://shop.example' }, everyMs: 1, timeoutMs: 1 }
    expect(outside([{ ...restore, check }])).toEqual(['restore'])
    const far = step('far', 'shell', { run: 'cat /etc/url', capture: true })
    const uses = step('uses', 'sql.check', { url: '${steps.far.stdout}', sql: 'select 1', equals: 1 }, { after: ['far'] })
    expect(outside([far, uses], { allow: { steps: ['far'], hosts: [] } })).toEqual(['uses'])
  })

  test('and one that goes only where an earlier step leads is none, also a step of another plan', () => {
    const inner = { ...restore, id: 'db/restore' }
    const steps = ['${steps.db/restore.url}', 'http://${steps.db/restore.host}/x', 'http://${steps.db/restore.host}:80/'].map(
      (url, index) => step(`look-${index}`, 'http.check', { url }, { after: ['db/restore'] }),
    )
    expect(outside([inner, ...steps])).toEqual([])
    expect(compile([inner]).plan.steps[0]?.action.params).toMatchObject({ target: `${folder}/db--restore` })
    const port = step('port', 'http.check', { url: 'http://127.0.0.1:${steps.db/restore.port}/' }, { after: ['db/restore'] })
    expect(outside([inner, port])).toEqual(['port'])
    expect(outside([inner, port], { allow: { steps: [], hosts: ['127.0.0.1'] } })).toEqual([])
  })

  test('unless it keeps to hosts that the drill lists; the blocker names them and shows the lines to add', () => {
    const far = step('far', 'http.check', { url: 'http://127.0.0.1:8080/${steps.restore.service}' }, { after: ['restore'] })
    for (const host of ['127.0.0.1:8080', '127.0.0.1']) {
      expect(outside([restore, far], { allow: { steps: [], hosts: [host] } })).toEqual([])
    }
    const [finding] = compile([restore, far], { allow: { steps: [], hosts: ['127.0.0.1:80'] } }).findings
    expect(finding).toMatchObject({ severity: 'blocker', code: 'drill-reaches-outside', step: 'far' })
    expect(finding?.message).toContain('127.0.0.1:8080')
    expect(finding?.hint).toContain("allow: { hosts: ['127.0.0.1:8080'] }")
    expect(finding?.hint).toContain('substitute: { far: { skip:')
  })
})
