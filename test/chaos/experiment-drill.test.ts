import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { chaosTarget, frozen, type ChaosTarget } from '../support/chaos-target.ts'
import { holdfastProcess } from '../support/detection.ts'
import { holdfast } from '../support/holdfast.ts'

interface Ran {
  readonly runs: readonly {
    readonly verdict: string
    readonly because: readonly string[]
    readonly drill?: { readonly phases?: { readonly detectMs: number } }
    readonly canary?: { readonly acknowledged: number; readonly lost: number; readonly rpaMs: number }
    readonly faults: readonly { readonly name: string; readonly state: string; readonly undo: string }[]
  }[]
}

/** The server stays frozen until the plan lets it go on, or the experiment is over. */
const drilled = (target: ChaosTarget, more: object = {}) => ({
  ...frozen(target),
  faults: [{ inject: { 'process.pause': { target: { pidFile: target.pidFile }, by: 'signal' } }, for: '1s' }],
  hypothesis: { ...frozen(target).hypothesis, probes: [{ name: 'answers', http: target.url, timeout: '1s' }] },
  recoversFrom: 'fault',
  recoversWithin: '60s',
  drill: { plan: 'back', detection: { for: '300ms' } },
  ...more,
})
/** A plan of commands, one after the other, and then something that is only true when the server answers. */
const planOf = ({ url }: ChaosTarget, ...commands: string[]) => ({
  plans: {
    back: {
      recovers: ['api'],
      steps: [
        ...commands.map((run, index) => ({
          id: `s${index}`,
          do: { shell: { run } },
          ...(index === 0 ? {} : { after: [`s${index - 1}`] }),
        })),
        { id: 'answers', do: { 'http.check': { url } }, after: [`s${commands.length - 1}`] },
      ],
    },
  },
})

test('a plan that fails leaves no fault behind, and the experiment has failed', async () => {
  await using target = await chaosTarget()
  await target.experiments({ freeze: drilled(target) }, planOf(target, 'exit 7'))
  const ran = await target.chaos(['run', 'freeze'])
  expect(ran.exitCode).toBe(20)
  expect(ran.json<Ran>().runs[0]).toMatchObject({
    verdict: 'fail',
    because: [expect.stringContaining('its plan did not bring it back: ')],
    drill: { plan: 'back', succeeded: false, phases: { detectMs: expect.any(Number) } },
    faults: [{ name: 'process.pause', state: 'injected', undo: 'gone' }],
  })
  expect(await target.state()).toBe('S')
})

test('observers at other sites notice by their quorum, and only then the plan begins', async () => {
  await using target = await chaosTarget()
  await writeFile(join(target.path, 'password'), 'correct horse')
  const { plans } = planOf(target, `kill -CONT $(cat ${target.pidFile})`)
  const detection = {
    symptoms: ['it does not answer'],
    probes: [{ http: target.url, timeout: '300ms' }],
    observers: ['north', 'south'],
    quorum: '2 of 2',
    every: '300ms',
    for: '1500ms',
  }
  await target.experiments(
    { freeze: drilled(target, { drill: { plan: 'back', detection: { by: 'observers' } } }) },
    {
      sites: { here: {}, north: {}, south: {} },
      services: { api: { owner: 'Ann', site: 'here', objectives: { rpo: '5m', rto: '5m' }, recovery: 'back' } },
      repositories: { nas: { url: './nas', site: 'north', password: { file: './password' } } },
      observers: Object.fromEntries(['north', 'south'].map((site) => [site, { site, report: { repository: 'nas' } }])),
      plans: { back: { ...plans.back, detection } },
    },
  )
  const file = join(target.path, 'holdfast.yaml')
  expect((await holdfast(['init'], { cwd: target.path })).exitCode).toBe(0)
  await using _north = holdfastProcess(['--catalog', file, 'observe', '--as', 'north'])
  await using _south = holdfastProcess(['--catalog', file, 'observe', '--as', 'south'])
  const detected = async () => (await holdfast(['--catalog', file, '--json', 'detect', 'api'])).json<{ verdict: string }>()
  await expect.poll(async () => (await detected()).verdict, { timeout: 60_000 }).toBe('healthy')
  const ran = await target.chaos(['run', 'freeze'])
  const [result] = ran.json<Ran>().runs
  expect(result, ran.stdout).toMatchObject({ verdict: 'pass', drill: { succeeded: true, detectedBy: 'observers' } })
  // What they must have seen for that long, they have.
  expect(result?.drill?.phases?.detectMs).toBeGreaterThan(1500)
  expect(await target.state()).toBe('S')
}, 240_000)

test('a plan that could prove nothing is refused before anything is broken', async () => {
  await using target = await chaosTarget()
  const { plans } = planOf(target, 'true')
  const back = { ...plans.back, steps: plans.back.steps.slice(0, 1) }
  const seen = { plan: 'back', detection: { by: 'observers' } }
  await target.experiments({ blind: drilled(target), unwatched: drilled(target, { drill: seen }) }, { plans: { back } })
  const railsOf = async (name: string) => (await target.chaos(['plan', name])).json<{ guardrails: object[] }>().guardrails
  expect(await railsOf('blind')).toMatchObject([{ code: 'drill-refused', message: expect.stringContaining('checks nothing') }])
  expect(await railsOf('unwatched')).toMatchObject([{ code: 'drill-refused', message: expect.stringContaining('no observers') }])
})

test('when it is killed while the plan runs, the fault is taken back, and nothing else begins before somebody has seen to the run', async () => {
  await using target = await chaosTarget()
  await target.experiments({ freeze: drilled(target) }, planOf(target, 'touch running; sleep 120'))
  let kill: ((signal: NodeJS.Signals) => void) | undefined
  const running = target.chaos(['run', 'freeze'], (child) => (kill = child.kill))
  await expect
    .poll(
      () =>
        readFile(join(target.path, 'running')).then(
          () => true,
          () => false,
        ),
      { timeout: 60_000 },
    )
    .toBe(true)
  expect(await target.state()).toBe('T')
  kill?.('SIGKILL')
  await running
  await expect.poll(() => target.state(), { timeout: 60_000 }).toBe('S')
  expect((await target.chaos(['history'])).json()).toMatchObject({ runs: [{ state: 'interrupted' }] })
  const { guardrails } = (await target.chaos(['plan', 'freeze'])).json<{ guardrails: { code: string }[] }>()
  expect(guardrails.map(({ code }) => code)).toEqual(['run-open'])
}, 180_000)

test('a steady state that nobody sees going is a plan that is never run', async () => {
  await using target = await chaosTarget()
  const patient = { timeout: '5s', name: 'answers', http: target.url }
  await target.experiments(
    {
      unseen: drilled(target, {
        // A look waits longer than it is given to notice.
        hypothesis: { ...frozen(target).hypothesis, probes: [patient] },
        drill: { plan: 'back', detection: { for: '300ms', within: '1s' } },
      }),
    },
    planOf(target, 'touch ran'),
  )
  const ran = (await target.chaos(['run', 'unseen'])).json<Ran>()
  expect(ran.runs[0]).toMatchObject({ verdict: 'fail', drill: { succeeded: false, because: 'nobody noticed within 1 s' } })
  await expect(readFile(join(target.path, 'ran'))).rejects.toThrow()
  expect(await target.state()).toBe('S')
})

test('a plan that goes back to an earlier point loses rows of the canary, and that fails where none may be lost', async () => {
  await using target = await chaosTarget()
  const rows = join(target.path, 'rows')
  const canary = {
    write: ['sh', '-c', `echo "$HOLDFAST_CANARY_SEQ" >> ${rows}`],
    read: ['cat', rows],
    every: '50ms',
  }
  const back = planOf(target, `head -n 3 ${rows} > ${rows}.old && mv ${rows}.old ${rows}`, `kill -CONT $(cat ${target.pidFile})`)
  await target.experiments(
    {
      measured: drilled(target, { canary }),
      strict: drilled(target, { canary: { ...canary, losesAtMost: '0s' } }),
    },
    back,
  )
  const measured = (await target.chaos(['run', 'measured'])).json<Ran>().runs[0]
  expect(measured).toMatchObject({ verdict: 'pass', drill: { succeeded: true }, canary: { lastSurviving: 3 } })
  expect(measured?.canary?.lost).toBeGreaterThan(3)
  expect(measured?.canary?.rpaMs).toBeGreaterThan(100)
  const strict = await target.chaos(['run', 'strict'])
  expect(strict.exitCode).toBe(20)
  expect(strict.json<Ran>().runs[0]?.because).toEqual([expect.stringContaining('its canary lost')])
}, 240_000)

test('a fault that is repeated is injected and seen each time; one canary that cannot be written to breaks nothing', async () => {
  await using target = await chaosTarget()
  const inject = { 'process.pause': { target: { pidFile: target.pidFile }, by: 'signal' } }
  const repeated = { ...frozen(target), faults: [{ inject, for: '300ms', repeat: { times: 3, every: '1s' } }] }
  await target.experiments({
    often: { ...repeated, recoversFrom: 'fault', recoversWithin: '2s' },
    blind: { ...frozen(target), canary: { write: ['false'], read: ['true'] } },
  })
  const often = (await target.chaos(['run', 'often'])).json<Ran>().runs[0]
  expect(often).toMatchObject({
    faults: [1, 2, 3].map((time) => ({ name: `process.pause (${time} of 3)`, state: 'injected', undo: 'gone' })),
  })
  const blind = await target.chaos(['run', 'blind'])
  expect(blind.exitCode).toBe(21)
  expect(blind.json<Ran>().runs[0]?.because).toEqual(['nobody knows what its canary lost: no row was acknowledged'])
  const wrong = { ...repeated, together: true }
  await target.experiments({ wrong })
  const validated = await holdfast(['validate', '--json'], { cwd: target.path })
  expect(validated.json()).toMatchObject({
    problems: [{ message: expect.stringContaining('experiments.wrong: a fault with repeat needs faults one after the other') }],
  })
}, 180_000)
