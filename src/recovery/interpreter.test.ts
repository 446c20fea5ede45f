import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import {
  codeVersion,
  outcomeOf,
  passingCheck,
  planOf,
  planWorkshop,
  stepThatCounts,
  submitPlan,
} from '../../test/support/plans.ts'
import { decisionName } from './index.ts'

const failing = { shell: { run: 'echo failing >&2; exit 7', undo: 'false' } }

test('steps run in the order of their dependencies, and the outcome carries outputs, checks and timing', async () => {
  await using shop = await planWorkshop()
  const plan = planOf([
    stepThatCounts(shop.folder, 'c', { after: ['a', 'b'] }),
    stepThatCounts(shop.folder, 'a'),
    stepThatCounts(shop.folder, 'b', { after: ['a'] }),
    passingCheck('verify', ['c']),
  ])
  const outcome = await shop.run(plan, { onsetAt: new Date(Date.now() - 5000).toISOString() })

  expect(outcome).toMatchObject({ status: 'succeeded', checksPassed: 1, left: [] })
  expect(await shop.effects()).toEqual(['a', 'b', 'c'])
  const { phases, rtaMs } = outcome.timing
  expect(phases.detect).toBeGreaterThanOrEqual(5000)
  expect(Object.values(phases).reduce((sum, ms) => sum + ms, 0)).toBe(rtaMs)
})

test('an output of a step reaches a later one as data, whatever characters it has', async () => {
  await using shop = await planWorkshop()
  const nasty = `it's; touch ${shop.folder}/injected`
  const plan = planOf([
    stepThatCounts('', 'say', {
      action: { kind: 'shell', params: { run: ['printf', '%s', nasty], capture: true, effect: 'read-only' } },
    }),
    stepThatCounts(shop.folder, 'hear', {
      after: ['say'],
      shell: { run: `printf '%s\\n' "$HEARD" >> '${shop.folder}/effects'`, env: { HEARD: '<${steps.say.stdout}>' } },
    }),
  ])
  expect((await shop.run(plan)).status).toBe('succeeded')
  expect(await shop.effects()).toEqual([`<${nasty}>`])
  expect(existsSync(join(shop.folder, 'injected'))).toBe(false)
})

test('a failed step undoes what was done, in reverse order of completion, and not itself', async () => {
  await using shop = await planWorkshop()
  const plan = planOf([
    stepThatCounts(shop.folder, 'a'),
    stepThatCounts(shop.folder, 'b', { after: ['a'] }),
    stepThatCounts(shop.folder, 'c', { after: ['b'], ...failing }),
    passingCheck('verify', ['c']),
  ])
  const outcome = await shop.run(plan)

  expect(outcome).toMatchObject({ status: 'rolled-back', left: [], failure: { step: 'c', error: { code: 'command-failed' } } })
  expect(outcome.steps.map(({ id, state }) => [id, state])).toEqual([
    ['a', 'undone'],
    ['b', 'undone'],
    ['c', 'failed'],
    ['verify', 'not-run'],
  ])
  expect(await shop.effects()).toEqual(['a', 'b', 'undo-b', 'undo-a'])
})

test('an undo that fails leaves what it was built on, undoes the rest, and says exactly what was left', async () => {
  await using shop = await planWorkshop()
  const plan = planOf([
    stepThatCounts(shop.folder, 'ground'),
    stepThatCounts(shop.folder, 'house', { after: ['ground'], shell: { undo: 'echo stuck >&2; exit 3' } }),
    stepThatCounts(shop.folder, 'apart'),
    stepThatCounts(shop.folder, 'last', { after: ['house', 'apart'], ...failing }),
    passingCheck('verify', ['last']),
  ])
  const outcome = await shop.run(plan)

  expect(outcome.status).toBe('undo-failed')
  expect(outcome.left.map(({ step, because }) => [step, because])).toEqual([
    ['house', 'undo-failed'],
    ['ground', 'dependent-not-undone'],
  ])
  expect(outcome.left[0]?.message).toContain('stuck')
  expect((await shop.effects()).filter((line) => line.startsWith('undo'))).toEqual(['undo-apart'])
})

test('a step without an undo is named as left behind', async () => {
  await using shop = await planWorkshop()
  const plan = planOf([
    stepThatCounts(shop.folder, 'a', { action: { kind: 'shell', params: { run: ['true'] } } }),
    stepThatCounts(shop.folder, 'b', { after: ['a'], ...failing }),
    passingCheck('verify', ['b']),
  ])
  expect(await shop.run(plan)).toMatchObject({ status: 'rolled-back', left: [{ step: 'a', because: 'no-undo' }] })
})

test('after the point of no return nothing is undone', async () => {
  await using shop = await planWorkshop()
  const plan = planOf([
    stepThatCounts(shop.folder, 'a'),
    stepThatCounts(shop.folder, 'promote', { after: ['a'], shell: { effect: 'point-of-no-return' } }),
    stepThatCounts(shop.folder, 'c', { after: ['promote'], ...failing }),
    passingCheck('verify', ['c']),
  ])
  expect(await shop.run(plan)).toMatchObject({ status: 'stopped', pointOfNoReturn: 'promote', failure: { step: 'c' } })
  expect(await shop.effects()).toEqual(['a', 'promote'])
})

test('past the point of no return a person decides: the step runs again and the run goes forward', async () => {
  await using shop = await planWorkshop()
  const plan = planOf([
    stepThatCounts(shop.folder, 'promote', { shell: { effect: 'point-of-no-return' } }),
    stepThatCounts(shop.folder, 'c', { after: ['promote'], shell: { run: `test -e '${shop.folder}/mended'` } }),
    passingCheck('verify', ['c']),
  ])
  await using engine = shop.open()
  await submitPlan(engine, plan, { decisions: 'ask' })
  await expect.poll(async () => (await engine.status('r')).waitingFor.map(({ name }) => name)).toEqual([decisionName('c', 1)])
  await import('node:fs/promises').then(({ writeFile }) => writeFile(join(shop.folder, 'mended'), ''))
  await engine.signal('r', decisionName('c', 1), { decision: 'not-done', by: 'bob', why: 'looked' })
  expect((await outcomeOf(engine)).status).toBe('succeeded')
})

test('a step is tried again with growing delays, and keeps its idempotency key', async () => {
  await using shop = await planWorkshop()
  const count = `echo "$HOLDFAST_ATTEMPT $HOLDFAST_IDEMPOTENCY_KEY" >> '${shop.folder}/effects'; test "$HOLDFAST_ATTEMPT" = 3`
  const plan = planOf([
    stepThatCounts(shop.folder, 'a', { shell: { run: count }, retry: { attempts: 3, delayMs: 20, factor: 2, maxDelayMs: 1000 } }),
    passingCheck('verify', ['a']),
  ])
  await using engine = shop.open()
  await submitPlan(engine, plan)
  expect((await outcomeOf(engine)).status).toBe('succeeded')
  expect(await shop.effects()).toEqual(['1 r/a', '2 r/a', '3 r/a'])
  const delays = (await Array.fromAsync(engine.history('r'))).flatMap((event) =>
    event.type === 'step-failed' ? [event.retryInMs] : [],
  )
  expect(delays).toEqual([20, 40])
})

test('a step that times out has settled, its child process gone, before anything is undone', async () => {
  await using shop = await planWorkshop()
  // It takes its time to end, and writes when it does: an undo that did not wait would come first.
  const slow = `trap 'sleep 0.3; echo settled >> "${shop.folder}/effects"; exit 1' TERM; sleep 60 & wait`
  const plan = planOf([
    stepThatCounts(shop.folder, 'a'),
    stepThatCounts(shop.folder, 'slow', { after: ['a'], timeoutMs: 300, shell: { run: slow, probe: 'exit 1' } }),
    passingCheck('verify', ['slow']),
  ])
  const outcome = await shop.run(plan)
  expect(outcome).toMatchObject({ status: 'rolled-back', failure: { step: 'slow', error: { code: 'timed-out' } } })
  expect(await shop.effects()).toEqual(['a', 'settled', 'undo-a'])
})

test('a step that timed out but was done after all counts as done', async () => {
  await using shop = await planWorkshop()
  const plan = planOf([
    stepThatCounts(shop.folder, 'slow', {
      timeoutMs: 300,
      shell: { run: `touch '${shop.folder}/done'; exec sleep 60`, probe: `test -e '${shop.folder}/done'` },
    }),
    passingCheck('verify', ['slow']),
  ])
  const outcome = await shop.run(plan)
  expect(outcome.status).toBe('succeeded')
  expect(outcome.steps[0]).toMatchObject({ state: 'done', by: 'probe' })
})

test('a step whose state is unknown stops the run, is not undone, and is named', async () => {
  await using shop = await planWorkshop()
  const plan = planOf([
    stepThatCounts(shop.folder, 'a'),
    stepThatCounts(shop.folder, 'slow', { after: ['a'], timeoutMs: 200, shell: { run: ['sleep', '60'] } }),
    passingCheck('verify', ['slow']),
  ])
  const outcome = await shop.run(plan)
  expect(outcome).toMatchObject({ status: 'undo-failed', failure: { step: 'slow', error: { code: 'outcome-unknown' } } })
  expect(outcome.left.map(({ step, because }) => [step, because])).toEqual([
    ['slow', 'unknown'],
    ['a', 'dependent-not-undone'],
  ])
  expect(await shop.effects()).toEqual(['a'])
})

test('a person can say that a step of unknown state is done', async () => {
  await using shop = await planWorkshop()
  const plan = planOf([
    stepThatCounts(shop.folder, 'slow', { timeoutMs: 200, shell: { run: ['sleep', '60'] } }),
    passingCheck('verify', ['slow']),
  ])
  await using engine = shop.open()
  await submitPlan(engine, plan, { decisions: 'ask' })
  await expect.poll(async () => (await engine.status('r')).state).toBe('waiting')
  await engine.signal('r', decisionName('slow', 1), { decision: 'done', by: 'bob', why: 'looked' })
  const outcome = await outcomeOf(engine)
  expect(outcome.status).toBe('succeeded')
  expect(outcome.steps[0]).toMatchObject({ state: 'done', by: 'decision' })
})

test('a cancelled run stops its step, lets it settle, and undoes in reverse order', async () => {
  await using shop = await planWorkshop()
  const plan = planOf([
    stepThatCounts(shop.folder, 'a'),
    stepThatCounts(shop.folder, 'b', { after: ['a'] }),
    stepThatCounts(shop.folder, 'slow', {
      after: ['b'],
      shell: { run: `echo slow >> '${shop.folder}/effects'; exec sleep 60`, probe: 'exit 1' },
    }),
    passingCheck('verify', ['slow']),
  ])
  await using engine = shop.open()
  await submitPlan(engine, plan)
  await expect.poll(() => shop.effects()).toEqual(['a', 'b', 'slow'])
  await engine.requestCancel('r', 'wrong service')
  const outcome = await outcomeOf(engine)
  expect(outcome).toMatchObject({ status: 'rolled-back', failure: { error: { code: 'run-cancelled' } } })
  expect(await shop.effects()).toEqual(['a', 'b', 'slow', 'undo-b', 'undo-a'])
})

test('a check is asked until it passes', async () => {
  await using shop = await planWorkshop()
  const lines = `test "$(echo asked >> '${shop.folder}/effects'; wc -l < '${shop.folder}/effects')" -ge 3`
  const plan = planOf([
    stepThatCounts(shop.folder, 'a', {
      action: { kind: 'shell', params: { run: ['true'] } },
      check: { kind: 'shell', params: { run: lines, effect: 'read-only' }, everyMs: 10, timeoutMs: 20_000 },
    }),
  ])
  expect(await shop.run(plan)).toMatchObject({ status: 'succeeded', checksPassed: 1 })
  expect(await shop.effects()).toEqual(['asked', 'asked', 'asked'])
})

test('a check that never passes fails the step with its last complaint, and what the step did is undone', async () => {
  await using shop = await planWorkshop()
  const check = {
    kind: 'shell',
    params: { run: 'echo still down >&2; exit 1', effect: 'read-only' },
    everyMs: 10,
    timeoutMs: 300,
  }
  const outcome = await shop.run(planOf([stepThatCounts(shop.folder, 'a', { check })]))
  expect(outcome.status).toBe('rolled-back')
  expect(outcome.failure?.error).toMatchObject({ code: 'timed-out', message: expect.stringContaining('still down') as string })
  expect(await shop.effects()).toEqual(['a', 'undo-a'])
})

test('a plan that checks nothing is refused before it begins', async () => {
  await using shop = await planWorkshop()
  const outcome = await shop.run(planOf([stepThatCounts(shop.folder, 'a')]))
  expect(outcome.status).toBe('preflight-failed')
  expect(outcome.findings.map(({ code }) => code)).toContain('plan-checks-nothing')
  expect(await shop.effects()).toEqual([])
})

test('a plan whose only check was skipped is unverified, not succeeded', async () => {
  await using shop = await planWorkshop()
  const plan = planOf([
    stepThatCounts(shop.folder, 'a'),
    { ...passingCheck('verify', ['a']), when: [{ value: '${steps.a.exitCode}', equals: 99 }] },
  ])
  const outcome = await shop.run(plan)
  expect(outcome).toMatchObject({ status: 'unverified', checksPassed: 0 })
  expect(outcome.steps[1]?.state).toBe('skipped')
})

test('a missing program, an unknown action and an output that need not be there are found before anything runs', async () => {
  await using shop = await planWorkshop()
  const plan = planOf([
    stepThatCounts(shop.folder, 'a'),
    stepThatCounts(shop.folder, 'missing', { action: { kind: 'shell', params: { run: ['no-such-program-here'] } } }),
    stepThatCounts(shop.folder, 'unknown', { action: { kind: 'no.such.action', params: {} } }),
    stepThatCounts(shop.folder, 'early', { action: { kind: 'shell', params: { run: ['echo', '${steps.a.stdout}'] } } }),
    passingCheck('verify', ['a']),
  ])
  const outcome = await shop.run(plan)
  expect(outcome.status).toBe('preflight-failed')
  expect(outcome.findings.map(({ step, code }) => [step, code])).toEqual([
    ['early', 'output-not-ready'],
    ['missing', 'command-missing'],
    ['unknown', 'catalog-invalid'],
  ])
  expect(await shop.effects()).toEqual([])
})

test('two runs of one environment do not overlap', async () => {
  await using shop = await planWorkshop()
  const plan = planOf([
    stepThatCounts(shop.folder, 'a', { shell: { run: ['sleep', '60'], probe: 'exit 1' } }),
    passingCheck('verify', ['a']),
  ])
  await using engine = shop.open()
  await submitPlan(engine, plan)
  await expect.poll(async () => (await engine.status('r')).records).toBeGreaterThan(5)
  const { planHash } = await engine.status('r')
  await engine.submit({ runId: 'second', planHash, codeVersion, input: (await engine.status('r')).input })
  expect(await engine.attach('second')).toMatchObject({ state: 'failed', error: { code: 'run-busy' } })
})
