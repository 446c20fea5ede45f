import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { catalogOf } from '../../test/support/marked-catalog.ts'
import { codeVersion, outcomeOf, planWorkshop, submitPlan, type PlanWorkshop } from '../../test/support/plans.ts'
import { compilePlan, planHash, type Plan } from './index.ts'

/** The plan `main` of a catalog with these plans. */
async function planIn(plans: string): Promise<Plan> {
  const text = `version: 1
name: test
sites: { here: {} }
services: { db: { owner: me, site: here, objectives: { rpo: 1m, rto: 1m } } }
plans:
${plans.replaceAll(/^(?=.)/gm, '  ')}`
  const { main } = (await catalogOf(text)).plans
  if (main === undefined) throw new Error('no plan main')
  return compilePlan(main)
}

/** A step that appends its name to `effects`, and how it is taken back. */
const counts = ({ folder }: PlanWorkshop, name: string) =>
  `do: { shell: { run: "echo ${name} >> ${folder}/effects", undo: "echo undo-${name} >> ${folder}/effects" } }`
const passes = 'do: { shell: { run: ["true"], effect: read-only } }'
const fails = 'do: { shell: { run: ["false"], effect: read-only } }'

describe('a plan as a step of another', () => {
  test('runs with its parameters in its place, and who waits for it waits for all of it', async () => {
    await using shop = await planWorkshop()
    const plan = await planIn(`
start:
  params: { name: {}, text: { default: hello } }
  steps:
    - { id: say, do: { shell: { run: [printf, "%s %s", "\${params.text}", "\${params.name}"], capture: true } } }
    - { id: note, after: [say], do: { shell: { run: [sh, -c, "sleep 0.2; echo \\"$1\\" >> ${shop.folder}/effects", sh, "\${steps.say.stdout}"] } } }
main:
  recovers: [db]
  steps:
    - { id: first, ${counts(shop, 'first')} }
    - { id: one, plan: start, with: { name: one }, after: [first] }
    - { id: two, plan: start, with: { name: "\${steps.one/say.stdout}", text: bye }, after: [one] }
    - { id: verify, after: [two], do: { shell: { run: [test, "\${steps.two/say.stdout}", =, "bye hello one"], effect: read-only } } }`)
    const outcome = await shop.run(plan)
    expect(outcome).toMatchObject({ status: 'succeeded', checksPassed: 1 })
    expect(await shop.effects()).toEqual(['first', 'hello one', 'bye hello one'])
    expect(outcome.steps.map(({ id }) => id)).toEqual(['first', 'one/say', 'one/note', 'two/say', 'two/note', 'verify'])
  })

  test('is left out as a whole when its condition does not hold, and taken back as a whole when something later fails', async () => {
    await using shop = await planWorkshop()
    const plans = (verify: string, wanted: string) => `
pair:
  steps: [{ id: a, ${counts(shop, 'a')} }, { id: b, after: [a], ${counts(shop, 'b')} }]
main:
  recovers: [db]
  steps:
    - { id: ask, do: { shell: { run: [printf, yes], capture: true, effect: read-only } } }
    - { id: maybe, plan: pair, after: [ask], when: { value: "\${steps.ask.stdout}", ${wanted} } }
    - { id: verify, after: [maybe], ${verify} }`
    const skipped = await shop.run(await planIn(plans(passes, 'notEquals: yes')))
    expect(skipped.steps.map(({ state }) => state)).toEqual(['done', 'skipped', 'skipped', 'done'])
    expect(await shop.effects()).toEqual([])
    await using other = await planWorkshop()
    const undone = await other.run(await planIn(plans(fails, 'equals: yes')))
    expect(undone.status).toBe('rolled-back')
    expect(await shop.effects()).toEqual(['a', 'b', 'undo-b', 'undo-a'])
  })
})

test('of the steps of a group only so many run at once, whichever comes first', async () => {
  await using shop = await planWorkshop()
  const step = (id: string) =>
    `{ id: ${id}, group: hosts, do: { shell: { run: "echo + >> ${shop.folder}/effects; sleep 0.1; echo - >> ${shop.folder}/effects" } } }`
  const ids = ['a', 'b', 'c', 'd', 'e', 'f']
  const outcome = await shop.run(
    await planIn(`
main:
  recovers: [db]
  groups: { hosts: { limit: 2 } }
  steps: [${ids.map(step).join(', ')}, { id: verify, after: [${ids.join(', ')}], ${passes} }]`),
  )
  expect(outcome.status).toBe('succeeded')
  let running = 0
  const seen = (await shop.effects()).map((sign) => (running += sign === '+' ? 1 : -1))
  expect(seen).toHaveLength(12)
  expect(Math.max(...seen)).toBe(2)
})

test('a failure that is to stop the run leaves all as it is', async () => {
  await using shop = await planWorkshop()
  const plan = await planIn(`
main:
  recovers: [db]
  steps: [{ id: a, ${counts(shop, 'a')} }, { id: b, after: [a], onFailure: stop, ${fails} }]`)
  const outcome = await shop.run(plan)
  expect(outcome).toMatchObject({ status: 'stopped', failure: { step: 'b' } })
  expect(outcome.pointOfNoReturn).toBeUndefined()
  expect(await shop.effects()).toEqual(['a'])
})

describe('when the source site cannot be reached', () => {
  const plans = (shop: PlanWorkshop, more = '') => `
main:
  recovers: [db]
  steps:
    - { id: fence, ${counts(shop, 'fence')}, disaster: { skip: the site is gone } }
    - { id: route, after: [fence], ${counts(shop, 'route')}, disaster: { ${counts(shop, 'far-route')} } }
    - { id: verify, after: [route], ${passes} }${more}`

  test('steps take their form for that, and leave out what needs the site; the plan is still the same', async () => {
    await using shop = await planWorkshop()
    const plan = await planIn(plans(shop))
    const outcome = await shop.run(plan, { form: 'disaster' })
    expect(outcome).toMatchObject({ status: 'succeeded', form: 'disaster', planHash: planHash(plan, codeVersion) })
    expect(outcome.steps.map(({ state }) => state)).toEqual(['skipped', 'done', 'done'])
    expect(await shop.effects()).toEqual(['far-route'])
  })

  test('otherwise they do what they always do', async () => {
    await using shop = await planWorkshop()
    await shop.run(await planIn(plans(shop)))
    expect(await shop.effects()).toEqual(['fence', 'route'])
  })

  test('what needs the output of a step that is left out is found before anything runs', async () => {
    await using shop = await planWorkshop()
    const step = '\n    - { id: late, after: [fence], do: { shell: { run: [echo, "${steps.fence.exitCode}"] } } }'
    const outcome = await shop.run(await planIn(plans(shop, step)), { form: 'disaster' })
    expect(outcome.status).toBe('preflight-failed')
    expect(outcome.findings).toMatchObject([{ step: 'late', code: 'output-skipped' }])
  })
})

describe('a commit window', () => {
  const plans = (shop: PlanWorkshop, window: string) => `
main:
  recovers: [db]
  commit: ${window}
  steps:
    - { id: a, ${counts(shop, 'a')} }
    - { id: verify, after: [a], ${passes} }
    - { id: tidy, after: [commit], ${counts(shop, 'tidy')} }`
  const long = '{ within: 10m, else: undo }'
  const untilWaiting = async (engine: ReturnType<PlanWorkshop['open']>, name: string) => {
    await expect.poll(async () => (await engine.status('r')).waitingFor.map((wait) => wait.name)).toEqual([name])
  }

  test('committed, it goes on with what comes after, and the wait is no part of the recovery time', async () => {
    await using shop = await planWorkshop()
    await using engine = shop.open()
    await submitPlan(engine, await planIn(plans(shop, long)))
    await untilWaiting(engine, 'commit:commit')
    expect(await shop.effects()).toEqual(['a'])
    const openedAtMs = Date.now()
    await new Promise((resolve) => setTimeout(resolve, 1500))
    await engine.signal('r', 'commit:commit', { decision: 'commit', by: 'bob' })
    const outcome = await outcomeOf(engine)
    expect(outcome).toMatchObject({ status: 'succeeded', pointOfNoReturn: 'commit' })
    expect(Date.parse(outcome.timing.endedAt)).toBeLessThanOrEqual(openedAtMs + 500)
    expect(await shop.effects()).toEqual(['a', 'tidy'])
  })

  test('refused, everything is taken back', async () => {
    await using shop = await planWorkshop()
    await using engine = shop.open()
    await submitPlan(engine, await planIn(plans(shop, long)))
    await untilWaiting(engine, 'commit:commit')
    await engine.signal('r', 'commit:commit', { decision: 'undo', by: 'bob', comment: 'orders are wrong' })
    const outcome = await outcomeOf(engine)
    expect(outcome).toMatchObject({ status: 'rolled-back', failure: { error: { code: 'commit-refused' } } })
    expect(outcome.failure?.error.message).toContain('orders are wrong')
    expect(await shop.effects()).toEqual(['a', 'undo-a'])
  })

  test.for([
    ['undo', 'rolled-back', ['a', 'undo-a']],
    ['commit', 'succeeded', ['a', 'tidy']],
  ] as const)('when nobody says anything, %s', async ([otherwise, status, effects]) => {
    await using shop = await planWorkshop()
    const outcome = await shop.run(await planIn(plans(shop, `{ within: 100ms, else: ${otherwise} }`)))
    expect(outcome.status).toBe(status)
    expect(await shop.effects()).toEqual(effects)
  })

  test('when nobody says anything, it can go on asking', async () => {
    await using shop = await planWorkshop()
    await using engine = shop.open()
    await submitPlan(engine, await planIn(plans(shop, '{ within: 50ms, else: ask }')))
    await untilWaiting(engine, 'commit-late:commit')
    await engine.signal('r', 'commit-late:commit', { decision: 'undo', by: 'bob' })
    expect(await outcomeOf(engine)).toMatchObject({ status: 'rolled-back' })
  })

  test('that cannot undo what came before is found before anything runs', async () => {
    await using shop = await planWorkshop()
    const final = `do: { shell: { run: "echo x >> ${shop.folder}/effects", effect: point-of-no-return } }`
    const plan = await planIn(`
main:
  recovers: [db]
  commit: ${long}
  steps: [{ id: final, ${final} }, { id: verify, after: [final], ${passes} }]`)
    const outcome = await shop.run(plan)
    expect(outcome.findings).toMatchObject([{ step: 'commit', code: 'commit-cannot-undo' }])
    expect(await shop.effects()).toEqual([])
  })
})

test('with four eyes nothing begins before somebody else has approved it', async () => {
  await using shop = await planWorkshop()
  await using engine = shop.open()
  await submitPlan(
    engine,
    await planIn(`
main:
  recovers: [db]
  fourEyes: true
  steps: [{ id: a, ${counts(shop, 'a')} }, { id: verify, after: [a], ${passes} }]`),
  )
  const name = 'approve:four-eyes'
  await expect.poll(async () => (await engine.status('r')).waitingFor.map((wait) => wait.name)).toEqual([name])
  await expect(readFile(join(shop.folder, 'effects'))).rejects.toMatchObject({ code: 'ENOENT' })
  await engine.signal('r', name, { decision: 'approved', by: 'bob', planHash: (await engine.status('r')).planHash })
  expect(await outcomeOf(engine)).toMatchObject({ status: 'succeeded' })
  expect(await shop.effects()).toEqual(['a'])
})
