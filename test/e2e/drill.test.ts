import { readdir, readFile, writeFile } from 'node:fs/promises'
import { describe, expect, test } from 'vitest'
import type { PlanOutcome } from '../../src/recovery/index.ts'
import { drillShop } from '../support/drill-shop.ts'
import type { HoldfastResult } from '../support/holdfast.ts'

const day = 86_400_000

function outcomeIn(result: HoldfastResult): PlanOutcome {
  expect(result.stdout, result.stderr).not.toBe('')
  return result.json<{ result: PlanOutcome }>().result
}

const dns = { id: 'dns', do: { shell: { run: 'touch dns-was-changed' } }, after: ['restore'] }

describe('holdfast drill run', () => {
  test('refuses a step that would leave the sandbox, shows the lines to add, and with them leaves it out as not proven', async () => {
    await using here = await drillShop({ steps: [dns] })
    const refused = await here.run('drill', 'run', 'orders')
    expect(refused.exitCode).toBe(1)
    expect(refused.stderr).toContain('dns: shell may reach outside the sandbox')
    expect(refused.stderr).toContain('substitute: { dns: { skip:')
    expect((await here.run('--json', 'drill', 'run', 'orders', '--dry-run')).json()).toMatchObject({ blocked: true })
    expect(await readdir(here.at('.holdfast/runs')).catch(() => [])).toEqual([])

    await here.declare({ steps: [dns], drill: { substitute: { dns: { skip: 'no name is changed' } } } })
    const { drill, steps } = await here.drill()
    expect(steps).toMatchObject([
      { id: 'restore', state: 'done' },
      { id: 'dns', state: 'skipped' },
    ])
    expect(drill?.findings).toMatchObject([
      { id: 'back/step-skipped/dns', code: 'step-skipped', step: 'dns', owner: 'Shop Team' },
    ])
    expect(await here.things()).toEqual([])
    expect((await here.run('status', 'orders')).stdout).toMatch(/measured \(drill \d{4}-\d\d-\d\d, without 1 step\)/)
  })

  test('a run of that name is not joined: its success would be taken for that of a drill', async () => {
    await using here = await drillShop()
    expect((await here.run('drill', 'run', 'orders', '--run-id', 'mine')).exitCode).toBe(0)
    const again = await here.run('drill', 'run', 'orders', '--run-id', 'mine')
    expect(again.exitCode).toBe(2)
    expect(again.stderr).toContain('there is a run called mine already')
  })

  test('finds a check that fails, with who answers for it and until when, and ends with 1; status and due say so', async () => {
    const wrong = { id: 'look', do: { shell: { run: 'echo no order >&2; exit 3', effect: 'read-only' } }, after: ['restore'] }
    await using here = await drillShop({ steps: [wrong], drill: { findings: { owner: 'Ann', due: '3d' } } })
    const before = Date.now()
    const failed = await here.run('--json', 'drill', 'run', 'orders')
    expect(failed.exitCode).toBe(1)
    const { status, drill } = outcomeIn(failed)
    expect(status).toBe('rolled-back')
    const [finding] = drill?.findings ?? []
    expect(finding).toMatchObject({ id: 'back/step-failed/look', owner: 'Ann', message: expect.stringContaining('no order') })
    expect(Date.parse(finding?.dueAt ?? '') - before).toBeGreaterThan(2.9 * day)
    expect(Date.parse(finding?.dueAt ?? '') - before).toBeLessThan(3.1 * day)
    expect(await here.things()).toEqual([])
    expect(await here.rto()).toMatchObject({ verdict: 'missed', because: 'last-recovery-failed' })
    expect((await here.due()).drills).toMatchObject([
      { kind: 'sandbox', state: 'failed', overdue: true },
      { kind: 'live', state: 'never' },
    ])
    expect((await here.run('drill', 'due')).exitCode).toBe(4)
  })

  test('ends with 4 when it worked and took longer than the objective', async () => {
    await using here = await drillShop({ rto: '1ms' })
    const drilled = await here.run('--json', 'drill', 'run', 'back')
    expect(outcomeIn(drilled)).toMatchObject({
      status: 'succeeded',
      drill: { achieved: [{ service: 'orders', rpo: { verdict: 'met' }, rto: { verdict: 'missed', declaredMs: 1 } }] },
    })
    expect(outcomeIn(drilled).drill?.findings.map(({ id }) => id)).toEqual(['back/objective-missed/orders-rto'])
    expect(drilled.exitCode).toBe(4)
  })

  test('restores what is the service’s own, although another has backed up the same paths since', async () => {
    await using here = await drillShop()
    await writeFile(here.at('data/orders.csv'), 'of another machine\n')
    const place = ['--repo', here.at('repository'), '--password-file', here.at('password')]
    expect(await here.run(...place, 'backup', '--tag', 'service:other', here.at('data'))).toMatchObject({ exitCode: 0 })
    const { status } = await here.drill({ keep: here.at('kept') })
    expect(status).toBe('succeeded')
    const file = (await readdir(here.at('kept'), { recursive: true })).find((path) => path.endsWith('orders.csv'))
    expect(await readFile(here.at(`kept/${file}`), 'utf8')).toBe('one\n'.repeat(1000))
  })

  test('keeps what was restored where it is told to, and nothing else; a folder that is not empty is refused', async () => {
    await using here = await drillShop()
    const kept = await here.run('drill', 'run', 'orders', '--keep', here.at('look'))
    expect(kept.exitCode, kept.stderr).toBe(0)
    expect(await readFile(here.at('look/restore/orders.csv'), 'utf8')).toBe('one\n'.repeat(1000))
    expect(await here.things()).toEqual(['look'])
    await expect(here.drill({ keep: here.at('look') })).rejects.toThrow('is not empty')
    await expect(here.drill({ keep: here.at('data/copy') })).rejects.toThrow('live data')
    expect(await readdir(here.at('data'))).toEqual(['orders.csv'])
  })

  test.runIf(process.platform === 'linux' && process.geteuid?.() === 0)(
    'runs commands in a network namespace of their own, unless the plan lets them out',
    async () => {
      const interfaces = (id: string) => ({
        id,
        do: { shell: { run: "awk 'NR > 2 { print $1 }' /proc/net/dev | sort | xargs", effect: 'read-only', capture: true } },
      })
      await using here = await drillShop({
        steps: [interfaces('inside'), interfaces('outside')],
        drill: { allow: { steps: ['outside'] } },
      })
      const ours = (await readFile('/proc/net/dev', 'utf8'))
        .split('\n')
        .slice(2)
        .flatMap((line) => line.trim().split(/\s+/)[0] || [])
      const { steps } = await here.drill()
      expect(steps.find(({ id }) => id === 'inside')?.output).toMatchObject({ stdout: 'lo:' })
      expect(steps.find(({ id }) => id === 'outside')?.output).toMatchObject({ stdout: ours.toSorted().join(' ') })
    },
  )

  test('live, runs the real plan once somebody says so, and has who took part and what was said to have happened on record', async () => {
    const scenarios = { flood: 'the cellar is under water' }
    await using here = await drillShop({ steps: [dns], drill: { scenarios } })
    const unasked = await here.run('drill', 'run', 'orders', '--live')
    expect(unasked.exitCode).toBe(2)
    expect(unasked.stderr).toContain('--yes')
    const later = { from: new Date('2099-01-01T00:00Z'), to: new Date('2099-01-01T01:00Z') }
    await expect(here.drill({ mode: 'live', window: later })).rejects.toThrow('announced for')
    const window = `${new Date(Date.now() - 60_000).toISOString()}/${new Date(Date.now() + day).toISOString()}`
    const people = ['--participant', 'ann', '--participant', 'bob']
    const live = await here.run('drill', 'run', 'orders', '--live', '--yes', '--scenario', 'flood', ...people, '--window', window)
    expect(live.exitCode, live.stderr).toBe(0)
    expect(await here.things()).toEqual(['.back.holdfast-restore.json', 'back', 'dns-was-changed'])
    const shown = await here.run('drill', 'show')
    for (const said of ['Gameday: back', 'the cellar is under water', 'ann, bob', 'restore done', 'orders', 'RTO']) {
      expect(shown.stdout).toContain(said)
    }
    const due = await here.due(20)
    expect(due.drills.map(({ state }) => state)).toEqual(['current', 'current'])
  })
})

describe('holdfast drill due', () => {
  test('is an alarm for what was never drilled, is too long ago, or was another plan; then not', async () => {
    await using here = await drillShop({ drill: { gameday: 'never' } })
    expect((await here.due()).drills).toMatchObject([{ plan: 'back', kind: 'sandbox', state: 'never', overdue: true }])
    await here.drill()
    const after = await here.run('drill', 'due')
    expect(after.exitCode, after.stdout).toBe(0)
    expect((await here.due(29)).drills).toMatchObject([{ state: 'soon', overdue: false }])
    expect((await here.due(32)).drills).toMatchObject([{ state: 'overdue', overdue: true }])

    await here.declare({ steps: [{ ...dns, do: { wait: { for: '1ms' } } }], drill: { gameday: 'never' } })
    expect((await here.due()).drills).toMatchObject([{ state: 'plan-changed', overdue: true }])
    expect(await here.rto()).toMatchObject({ basis: 'stale', because: 'plan-changed', verdict: 'at-risk' })
  })

  test('does not know where the ledger cannot be read, and that is an alarm too', async () => {
    await using here = await drillShop()
    await here.drill()
    await writeFile(here.at('password'), 'another password')
    const blind = await here.run('--json', 'drill', 'due')
    expect(blind.exitCode).toBe(4)
    expect(blind.json()).toMatchObject({ drills: [{ state: 'unknown' }, { state: 'unknown' }], unseen: [{ repository: 'nas' }] })
  })
})

describe('the record of drills', () => {
  test('lists them with the change to the one before, and is shown as text and as HTML', async () => {
    await using here = await drillShop()
    for (const scenario of ['first', '<b>second</b>']) await here.drill({ scenario })
    const { drills } = (await here.run('--json', 'drill', 'list', 'orders')).json<{
      drills: { rtaMs: number; rtaChangeMs?: number }[]
    }>()
    const [second, first] = drills
    expect(second?.rtaChangeMs).toBe((second?.rtaMs ?? 0) - (first?.rtaMs ?? 0))
    expect(drills[1]).not.toHaveProperty('rtaChangeMs')
    expect((await here.run('drill', 'show')).stdout).toContain('<b>second</b>')
    await here.run('drill', 'show', 'latest', '--format', 'html', '--output', 'drill.html')
    const html = await readFile(here.at('drill.html'), 'utf8')
    expect(html).toContain('&lt;b&gt;second&lt;/b&gt;')
    expect(html).toMatch(/^<!doctype html>/)
  })

  test('keeps the date of a finding that is found again, and closes it with who and why; accepted, it is not found again', async () => {
    await using here = await drillShop({ steps: [dns], drill: { substitute: { dns: { skip: 'no name is changed' } } } })
    // What is slow depends on the machine.
    const isSteady = ({ code }: { code: string }) => code !== 'step-slow'
    const found = async () => ((await here.drill()).drill?.findings ?? []).filter(isSteady)
    const [first] = await found()
    const [again] = await found()
    expect(again).toEqual(first)
    const open = await here.run('--json', 'drill', 'findings')
    const { findings, late } = open.json<{ findings: { code: string }[]; late: number }>()
    expect(findings.filter(isSteady)).toMatchObject([{ id: 'back/step-skipped/dns', plan: 'back', owner: 'Shop Team' }])
    expect(late).toBe(0)

    expect((await here.run('drill', 'findings', '--close', 'step-skipped/dns')).exitCode).toBe(2)
    const closing = ['drill', 'findings', '--close', 'step-skipped/dns', '--why', 'tried on the last gameday', '--by', 'ann']
    expect((await here.run(...closing)).exitCode).toBe(0)
    expect((await here.run('drill', 'findings', '--all')).stdout).toContain('closed by ann: tried on the last gameday')
    expect((await here.run('ledger', 'verify')).exitCode).toBe(0)
    expect(await found()).toEqual([])
  })
})
