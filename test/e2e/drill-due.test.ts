import { readdir, readFile, writeFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { drillShop } from '../support/drill-shop.ts'
import { holdfastProcess } from '../support/detection.ts'
import { until } from '../support/until.ts'

interface DueRuns {
  readonly runs: readonly { readonly plan: string; readonly run?: string; readonly result?: { readonly status: string } }[]
  readonly gamedays: readonly { readonly plan: string }[]
  readonly aborted: readonly { readonly run: string; readonly error?: string }[]
}

const reaching = { id: 'dns', do: { shell: { run: 'touch dns-was-changed' } } }

test('every plan that is due is drilled, one that cannot be keeps none from it, and gamedays are announced; then nothing is due', async () => {
  const never = { gameday: 'never' }
  const moved = { recovers: ['orders'], steps: [{ ...reaching, check: { shell: { run: 'true', effect: 'read-only' } } }] }
  await using here = await drillShop({ drill: never, plans: { moved } })
  const first = await here.run('--json', 'drill', 'run', '--due')
  const done = first.json<DueRuns>()
  expect(first.exitCode, first.stdout).toBe(1)
  expect(done.runs.toSorted((a, b) => a.plan.localeCompare(b.plan))).toMatchObject([
    { plan: 'back', due: 'never', result: { status: 'succeeded' } },
    { plan: 'moved', due: 'never', error: { code: 'preflight-failed', hint: expect.stringContaining('substitute') as string } },
  ])
  expect(done.gamedays).toMatchObject([{ plan: 'moved', state: 'never', overdue: true }])
  expect(await here.things()).toEqual([])

  await here.declare({ drill: never, plans: { moved: { ...moved, drill: { every: 'never' } } } })
  const announced = await here.run('drill', 'run', '--due')
  expect(announced.exitCode, announced.stdout).toBe(4)
  expect(announced.stdout).toContain('holdfast drill run moved --live')

  await here.declare({ drill: never, plans: { moved: { ...moved, drill: { every: 'never', gameday: 'never' } } } })
  const quiet = await here.run('--json', 'drill', 'run', '--due')
  expect(quiet.json(), quiet.stderr).toMatchObject({ runs: [], gamedays: [], aborted: [] })
  expect(quiet.exitCode).toBe(0)

  await here.declare({ drill: { every: 'never', gameday: 'never' } })
  expect((await here.run('drill', 'run', '--due')).exitCode, 'nothing that could be drilled').toBe(4)
})

test('two never run at once, and what a killed one has left is aborted, cleaned up and drilled anew', async () => {
  await using here = await drillShop({ drill: { gameday: 'never' } })
  const open = here.at('data/../go-on')
  const waits = { shell: { run: `while ! test -e '${open}'; do sleep 0.1; done`, effect: 'read-only' } }
  await here.declare({ drill: { gameday: 'never' }, steps: [{ id: 'hang', do: waits, after: ['restore'], timeout: '5m' }] })
  const due = ['--catalog', here.at('holdfast.yaml'), '--json', 'drill', 'run', '--due']
  const first = holdfastProcess(due)
  await using _ended = first
  const [left = ''] = await until(
    'until the drill hangs',
    async () => {
      const runs = await readdir(here.at('.holdfast/runs')).catch((): string[] => [])
      const journal = await readFile(here.at(`.holdfast/runs/${runs[0]}/journal.ndjson`), 'utf8').catch(() => '')
      return /"step":"hang","type":"step-started"/.test(journal) ? runs : []
    },
    (runs) => runs.length > 0,
  )
  const second = await here.run('--json', 'drill', 'run', '--due')
  expect(second.exitCode, second.stderr).toBe(11)
  first.signal('SIGKILL')
  await first.ended()
  expect((await here.things()).length).toBeGreaterThan(0)

  await writeFile(open, '')
  const third = await here.run('--json', 'drill', 'run', '--due')
  const { runs, aborted } = third.json<DueRuns>()
  expect(aborted).toEqual([{ run: left }])
  expect(runs).toMatchObject([{ plan: 'back', result: { status: 'succeeded' } }])
  expect(runs[0]?.run).not.toBe(left)
  expect(await here.things()).toEqual(['go-on'])
})

test('a plan and --due exclude each other, and so does what is for one drill', async () => {
  await using here = await drillShop()
  for (const wrong of [['orders', '--due'], [], ['--due', '--live'], ['--due', '--keep', 'x'], ['--due', '--dry-run']])
    expect((await here.run('drill', 'run', ...wrong)).exitCode, wrong.join(' ')).toBe(2)
})
