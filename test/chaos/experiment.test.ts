import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { chaosTarget, type ChaosTarget } from '../support/chaos-target.ts'
import { holdfast } from '../support/holdfast.ts'

const hypothesisOf = ({ url }: ChaosTarget, more = {}) => ({
  title: 'it answers',
  every: '100ms',
  before: '500ms',
  after: '500ms',
  probes: [{ name: 'answers', http: url, timeout: '2s' }],
  ...more,
})
const pause = ({ pidFile }: ChaosTarget, held = '1s') => ({
  inject: { 'process.pause': { target: { pidFile }, by: 'signal' } },
  for: held,
})
const kill = ({ pidFile }: ChaosTarget) => ({ inject: { 'process.kill': { target: { pidFile } } }, for: '100ms' })

interface Ran {
  readonly runs: readonly {
    readonly sampling: { readonly realTime: boolean; readonly because?: string }
    readonly verdict: string
    readonly because: readonly string[]
    readonly recoveryMs?: number
    readonly runId: string
  }[]
  readonly statistics: { readonly passRate: { readonly runs: number; readonly passed: number } }
}

test('a server that is killed and comes back in time passes, with the time that it took; one that must hold fails', async () => {
  await using target = await chaosTarget()
  const common = { services: ['api'], hypothesis: hypothesisOf(target), faults: [kill(target)] }
  // Of who looks: 0 like every process, 2 with real-time priority.
  const policies = join(target.path, 'policies')
  const noted = {
    name: 'noted',
    command: ['sh', '-c', `cut -d' ' -f41 /proc/$PPID/stat >>"$0"; cut -d' ' -f41 /proc/self/stat >>"$0.own"`, policies],
  }
  const { probes } = hypothesisOf(target)
  const seen = { ...common, hypothesis: hypothesisOf(target, { probes: [...probes, noted] }) }
  await target.experiments({ recovers: { ...seen, recoversWithin: '15s' }, holds: common })
  const recovers = await target.chaos(['run', 'recovers'])
  const { runs, statistics } = recovers.json<Ran>()
  expect(runs).toMatchObject([{ verdict: 'pass' }])
  expect(recovers.exitCode).toBe(0)
  expect(runs[0]?.recoveryMs).toBeGreaterThan(0)
  expect(runs[0]?.recoveryMs).toBeLessThan(15_000)
  expect(statistics.passRate).toMatchObject({ runs: 1, passed: 1 })
  const of = async (file: string) => [...new Set((await readFile(file, 'utf8')).trim().split('\n'))]
  expect(await of(policies)).toEqual([runs[0]?.sampling.realTime ? '2' : '0'])
  expect(await of(`${policies}.own`)).toEqual(['0'])

  const holds = await target.chaos(['run', 'holds'])
  expect(holds.exitCode).toBe(20)
  expect(holds.json<Ran>().runs[0]).toMatchObject({ verdict: 'fail' })
  expect(holds.json<Ran>().runs[0]?.because[0]).toContain('answers')
})

test('a server that is frozen is well again once the fault is taken back, and each run is on record', async () => {
  await using target = await chaosTarget()
  const freeze = {
    services: ['api'],
    hypothesis: hypothesisOf(target),
    faults: [pause(target)],
    recoversWithin: '10s',
    recoversFrom: 'clean-up',
  }
  await target.experiments({ freeze })
  const plan = await target.chaos(['plan', 'freeze'])
  expect(plan.json()).toMatchObject({
    allowed: true,
    faults: [{ kind: 'process.pause', targets: [expect.stringContaining('process')] }],
  })
  expect(await target.state()).toBe('S')

  const twice = await target.chaos(['run', 'freeze', '--repeat', '2'])
  expect(twice.json<Ran>().runs.map(({ verdict }) => verdict)).toEqual(['pass', 'pass'])
  expect(await target.state()).toBe('S')
  const history = await target.chaos(['history', 'freeze'])
  expect(history.json()).toMatchObject({
    runs: [{ verdict: 'pass' }, { verdict: 'pass' }],
    statistics: { passRate: { runs: 2, passed: 2, upper: 1 }, recoveryP95: { runsNeeded: 59 } },
  })
  expect((await target.chaos(['list'])).json()).toMatchObject({
    experiments: [{ experiment: 'freeze', runs: 2, last: { verdict: 'pass' } }],
  })
})

test('a fault that somebody takes away before its end proves nothing about what must hold under it', async () => {
  await using target = await chaosTarget()
  const probes = [{ name: 'holds', command: ['true'] }]
  await target.experiments({
    holds: { services: ['api'], hypothesis: hypothesisOf(target, { probes }), faults: [pause(target, '5s')] },
  })
  const running = target.chaos(['run', 'holds'])
  await expect.poll(() => target.state(), { timeout: 30_000 }).toBe('T')
  // Once it was looked at.
  await delay(1500)
  process.kill(Number(await readFile(target.pidFile, 'utf8')), 'SIGCONT')
  const holds = await running
  expect(holds.exitCode).toBe(21)
  expect(holds.json<Ran>().runs).toMatchObject([
    {
      verdict: 'inconclusive',
      because: ['the fault process.pause was not there until its end: nothing of it was there any more'],
    },
  ])
})

test('nothing is broken when it is not steady before, and an abort condition ends it at once', async () => {
  await using target = await chaosTarget()
  const probes = [{ name: 'answers', http: target.url, expect: { equals: 418 } }]
  const services = ['api']
  const abort = [
    { name: 'still awake', command: ['sh', '-c', `test "$(cut -d' ' -f3 /proc/$(cat ${target.pidFile})/stat)" != T`] },
  ]
  await target.experiments({
    ill: { services, hypothesis: hypothesisOf(target, { probes }), faults: [kill(target)] },
    aborts: { services, hypothesis: hypothesisOf(target), faults: [pause(target, '60s')], abort },
    late: { services, hypothesis: hypothesisOf(target), faults: [pause(target, '60s')], limit: '2s' },
  })
  const ill = await target.chaos(['run', 'ill'])
  expect(ill.exitCode).toBe(21)
  expect(ill.json<Ran>().runs[0]?.because[0]).toContain('not steady before')
  const aborts = await target.chaos(['run', 'aborts'])
  expect(aborts.exitCode).toBe(22)
  expect(aborts.json<Ran>().runs[0]?.because).toEqual([expect.stringContaining('abort condition still awake')])
  const late = await target.chaos(['run', 'late'])
  expect(late.json<Ran>().runs[0]).toMatchObject({ verdict: 'aborted', because: ['its time limit was reached'] })
  expect(await target.state()).toBe('S')
})

test('a halt ends what runs, cleans up after it, and lets nothing begin until it is lifted', async () => {
  await using target = await chaosTarget()
  await target.experiments({ freeze: { services: ['api'], hypothesis: hypothesisOf(target), faults: [pause(target, '5m')] } })
  const running = target.chaos(['run', 'freeze'])
  await expect.poll(() => target.state(), { timeout: 30_000 }).toBe('T')
  await target.chaos(['halt', '--reason', 'a real incident'])
  const ended = await running
  expect(ended.exitCode).toBe(22)
  expect(ended.json<Ran>().runs[0]?.because[0]).toContain('a real incident')
  expect(await target.state()).toBe('S')
  const refused = await target.chaos(['run', 'freeze'])
  expect(refused.exitCode).toBe(1)
  expect(refused.stderr).toContain('halted by')
  expect((await target.chaos(['halt', '--lift'])).json()).toEqual({ halted: false, lifted: true })
  expect((await target.chaos(['plan', 'freeze'])).exitCode).toBe(0)
})

test('a run that is killed leaves nothing: its fault is taken back, and history says that it was interrupted', async () => {
  await using target = await chaosTarget()
  await target.experiments({ freeze: { services: ['api'], hypothesis: hypothesisOf(target), faults: [pause(target, '5m')] } })
  let kill: ((signal: NodeJS.Signals) => void) | undefined
  const running = target.chaos(['run', 'freeze'], (child) => (kill = child.kill))
  await expect.poll(() => target.state(), { timeout: 30_000 }).toBe('T')
  kill?.('SIGKILL')
  await running
  await expect.poll(() => target.state(), { timeout: 60_000 }).toBe('S')
  expect((await target.chaos(['history'])).json()).toMatchObject({ runs: [{ state: 'interrupted', because: [] }] })
})

test('each guardrail forbids it by itself, and plan says so without touching anything', async () => {
  await using target = await chaosTarget()
  const base = {
    services: ['api'],
    hypothesis: hypothesisOf(target),
    faults: [pause(target)],
    recoversWithin: '10s',
    recoversFrom: 'clean-up',
  }
  const nowhere = { inject: { 'process.pause': { target: { command: 'no such process anywhere' } } }, for: '1s' }
  const both = { inject: { 'process.pause': { target: { pidFile: target.pidFile } } }, for: '1s' }
  const experiments = (environment: string) => ({
    base: { ...base, environment, passes: 1 },
    nowhere: { ...base, faults: [nowhere] },
    wide: { ...base, faults: [both], blastRadius: { percent: 50 } },
  })
  const codes = async (name: string, ...more: string[]) => {
    const { guardrails } = (await target.chaos(['plan', name, ...more])).json<{ guardrails: { code: string }[] }>()
    return guardrails.map(({ code }) => code)
  }
  await target.experiments(experiments('dev'))
  expect(await codes('base')).toEqual([])
  expect(await codes('nowhere')).not.toEqual([])
  expect(await codes('wide')).toEqual(['blast-radius'])
  expect((await target.chaos(['run', 'wide'])).exitCode).toBe(1)
  expect((await target.chaos(['history'])).json()).toMatchObject({ runs: [] })

  // Staging wants a pass in dev, and evidence that the service could be brought back.
  await target.experiments(experiments('staging'))
  expect(await codes('base')).toEqual(['not-promoted', 'restore-point-unverified'])
  await target.experiments(experiments('dev'))
  expect((await target.chaos(['run', 'base'])).exitCode).toBe(0)
  await target.experiments(experiments('staging'))
  expect(await codes('base')).toEqual(['restore-point-unverified'])
  // Another experiment must pass anew.
  await target.experiments({ base: { ...experiments('staging').base, recoversWithin: '9s' } })
  expect(await codes('base')).toContain('not-promoted')

  await target.experiments(experiments('production'))
  expect(await codes('base')).toContain('not-approved')
  const { hash } = (await target.chaos(['plan', 'base'])).json<{ hash: string }>()
  expect(await codes('base', '--approve', hash.slice(0, 8))).not.toContain('not-approved')
  expect(await codes('base', '--approve', '00000000')).toContain('not-approved')
}, 400_000)

test('times and exclusions forbid it, and outside dev a peak does', async () => {
  await using target = await chaosTarget()
  const freeze = { services: ['api'], hypothesis: hypothesisOf(target), faults: [pause(target)] }
  // Of the minute that it is now: 23 hours around it, and one hour on the other side of the day.
  const hourOf = (after: number) => `${String((new Date().getUTCHours() + after + 24) % 24).padStart(2, '0')}:00`
  const [now, never] = [
    { from: hourOf(-11), to: hourOf(12) },
    { from: hourOf(12), to: hourOf(13) },
  ]
  const services = Object.fromEntries(
    ['api', 'shop'].map((name) => [
      name,
      { owner: 'Ann', site: 'here', objectives: { rpo: '5m', rto: '5m' }, ...(name === 'shop' ? { dependsOn: ['api'] } : {}) },
    ]),
  )
  const rails = async (experiment: object, chaos: object = {}) => {
    await target.experiments({ freeze: { ...freeze, ...experiment } }, { services, chaos })
    const { guardrails } = (await target.chaos(['plan', 'freeze'])).json<{ guardrails: { code: string; message: string }[] }>()
    return guardrails.map(({ code, message }) => (code === 'wrong-time' || code === 'excluded' ? message : code))
  }
  expect(await rails({ windows: [now] }, { peak: [now], windows: [never] })).toEqual([])
  expect(await rails({ windows: [never] })).toEqual([expect.stringContaining('outside daily')])
  expect((await target.chaos(['run', 'freeze'])).exitCode).toBe(1)
  expect(await target.state()).toBe('S')
  const staging = { environment: 'staging' }
  const others = ['not-promoted', 'restore-point-unverified']
  expect(await rails(staging, { peak: [never], windows: [now] })).toEqual(others)
  expect(await rails(staging, { peak: [now] })).toEqual([expect.stringContaining('in the peak daily'), ...others])
  expect(await rails(staging, { windows: [never] })).toEqual([expect.stringContaining('outside daily'), ...others])
  // 15 minutes, its limit, count too: in another zone it may be another day.
  expect(await rails(staging, { peak: [now], timeZone: 'Asia/Kolkata' })).toEqual([
    expect.stringContaining('Asia/Kolkata'),
    ...others,
  ])

  const excluded = (name: string) => ({ exclude: { services: [name] } })
  expect(await rails({}, excluded('api'))).toEqual(['api is excluded from experiments'])
  expect(await rails({ blastRadius: excluded('shop') })).toEqual(['shop is excluded from experiments, and depends on api'])
  expect(await rails({ services: ['shop'] }, excluded('api'))).toEqual([])
}, 240_000)

test('a catalog says what is wrong with an experiment, where it is', async () => {
  await using target = await chaosTarget()
  await writeFile(
    join(target.path, 'holdfast.yaml'),
    `version: 1
name: test
sites: { here: {} }
services: { api: { owner: Ann, site: here, objectives: { rpo: 5m, rto: 5m } } }
experiments:
  wrong:
    services: [nobody]
    hypothesis: { title: t, probes: [{ name: p, http: http://x/, tcp: x:1 }] }
    faults: []
`,
  )
  const { exitCode, stderr } = await target.chaos(['plan', 'wrong'])
  expect(exitCode).toBe(2)
  expect(stderr).toContain('nobody')
  expect(stderr).toContain('faults')
})

test('validate knows every fault with its parameters, as a run does, and names the place of what does not fit', async () => {
  await using target = await chaosTarget()
  const faulty = (inject: object) => ({ services: ['api'], hypothesis: hypothesisOf(target), faults: [{ inject, for: '1s' }] })
  const validate = async () => (await holdfast(['validate', '--json'], { cwd: target.path })).json<{ problems: object[] }>()
  await target.experiments({
    unknown: faulty({ 'process.kil': { target: { pid: 2 } } }),
    typed: faulty({ 'network.degrade': { device: 'eth0', delay: 200 } }),
    extra: faulty({ 'process.kill': { target: { pid: 2 }, signall: 'SIGKILL' } }),
  })
  expect(await validate()).toMatchObject({
    valid: false,
    problems: [
      { code: 'unknown-fault', message: "there is no fault 'process.kil'", hint: "did you mean 'process.kill'?" },
      { message: expect.stringContaining('experiments.typed.faults[0].inject.network.degrade.delay') },
      {
        code: 'unknown-key',
        message: expect.stringContaining("has an unknown key 'signall'"),
        expected: 'one of target, signal',
      },
    ],
  })
  await target.experiments({ well: faulty({ 'process.kill': { target: { pid: 2 } } }) })
  expect(await validate()).toMatchObject({ valid: true, problems: [] })
})
