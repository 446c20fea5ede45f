import { expect, test } from 'vitest'
import {
  codeVersion,
  inputOf,
  outcomeOf,
  passingCheck,
  planOf,
  planWorkshop,
  stepThatCounts,
  submitPlan,
  type PlanWorkshop,
} from '../../../test/support/plans.ts'
import type { RunEvent } from '../../durable/index.ts'
import { inputAsJson, type Plan } from '../plan.ts'
import { partOf } from './part-of.ts'
import { passedNoReturn } from './passed.ts'
import { afterEvents, type RunProgress, type StepStanding } from './progress.ts'

interface Told {
  readonly events: readonly RunEvent[]
  /** After each event. */
  readonly progress: readonly RunProgress[]
}

/** A real run of a plan to its end, folded. */
async function told(
  shop: PlanWorkshop,
  plan: Plan,
  meanwhile?: (engine: ReturnType<PlanWorkshop['open']>) => Promise<void>,
): Promise<Told> {
  await using engine = shop.open()
  await submitPlan(engine, plan, meanwhile === undefined ? {} : { decisions: 'ask' })
  await meanwhile?.(engine)
  await outcomeOf(engine)
  const events = await Array.fromAsync(engine.history('r'))
  const progress: RunProgress[] = []
  for (const event of events) progress.push(known(afterEvents(progress.at(-1), [event])))
  return { events, progress }
}

function known<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('there is none')
  return value
}

/** What a step was, one after the other. */
function story({ progress }: Told, id: string): StepStanding[] {
  const all = progress.map(({ steps }) => known(steps.get(id)).standing)
  return all.filter((standing, at) => standing !== all[at - 1])
}

test('a step that fails twice and then works is seen to wait, run, pause and be done', async () => {
  await using shop = await planWorkshop()
  const plan = planOf([
    stepThatCounts(shop.folder, 'a', {
      shell: { run: 'echo no >&2; test "$HOLDFAST_ATTEMPT" = 3' },
      retry: { attempts: 3, delayMs: 5, factor: 1, maxDelayMs: 5 },
    }),
    passingCheck('verify', ['a']),
  ])
  const run = await told(shop, plan)
  expect(story(run, 'a')).toEqual(['waiting', 'running', 'retrying', 'running', 'retrying', 'running', 'done'])
  const paused = run.progress.find(({ steps }) => steps.get('a')?.standing === 'retrying')?.steps.get('a')
  expect(paused).toMatchObject({ attempt: 1, attempts: 3, error: expect.stringContaining('no') as string })
  expect((paused?.retryAtMs ?? 0) - (paused?.sinceMs ?? 0)).toBe(5)
  expect(run.progress.map(({ stage }) => stage).filter((stage, at, all) => stage !== all[at - 1])).toEqual([
    'preflight',
    'steps',
    'ended',
  ])
  expect(afterEvents(undefined, run.events)).toEqual(run.progress.at(-1))
})

test('a run of twice as many steps takes about twice the work to be told, not four times', () => {
  const workOf = (steps: number): number => {
    const events = eventsOf(steps)
    const before = process.threadCpuUsage()
    const progress = afterEvents(undefined, events)
    const { user } = process.threadCpuUsage(before)
    expect([...(progress?.steps.values() ?? [])].filter(({ standing }) => standing === 'done')).toHaveLength(steps)
    return user
  }
  workOf(2000)
  const [some, twice] = [6000, 12_000].map((steps) => Math.min(workOf(steps), workOf(steps)))
  expect(known(twice)).toBeLessThan(4 * known(some))
})

/** What a journal says of a plan whose steps wait for nothing. */
function eventsOf(steps: number): RunEvent[] {
  const ids = Array.from({ length: steps }, (_, index) => `step-${index}`)
  const input = inputAsJson(inputOf(planOf(ids.map((id) => passingCheck(id, [])))))
  const at = new Date().toISOString()
  return [
    { seq: 1, at, type: 'submitted', runId: 'r', planHash: '', codeVersion, input },
    ...ids.flatMap((step): RunEvent[] => [
      { seq: 0, at, type: 'step-started', step, attempt: 1 },
      { seq: 0, at, type: 'step-committed', step, attempt: 1, value: null, elapsedMs: 1 },
    ]),
  ]
}

test('a check is seen to be asked, and a failure to be undone', async () => {
  await using shop = await planWorkshop()
  const check = { kind: 'shell', params: { run: ['true'], effect: 'read-only' }, everyMs: 10, timeoutMs: 20_000 }
  const plan = planOf([
    stepThatCounts(shop.folder, 'a', { check }),
    stepThatCounts(shop.folder, 'b', { after: ['a'], shell: { run: 'exit 3' } }),
    passingCheck('verify', ['b']),
  ])
  const run = await told(shop, plan)
  expect(story(run, 'a')).toEqual(['waiting', 'running', 'done', 'checking', 'done', 'undoing', 'undone'])
  expect(story(run, 'b').at(-1)).toBe('failed')
  expect(story(run, 'verify')).toEqual(['waiting'])
  expect(run.progress.at(-1)).toMatchObject({ stage: 'ended', outcome: { status: 'rolled-back' } })
})

test('a decision is seen with its reason, and what follows from it', async () => {
  await using shop = await planWorkshop()
  const plan = planOf([
    stepThatCounts(shop.folder, 'slow', { timeoutMs: 200, shell: { run: ['sleep', '60'], effect: 'point-of-no-return' } }),
    passingCheck('verify', ['slow']),
  ])
  const run = await told(shop, plan, async (engine) => {
    await expect.poll(async () => (await engine.status('r')).state).toBe('waiting')
    await engine.signal('r', 'decide:slow:1', { decision: 'done', by: 'alice', why: 'seen' })
  })
  expect(story(run, 'slow').slice(-2)).toEqual(['asked', 'done'])
  const waits = run.progress.flatMap((progress) => progress.waits)
  expect(waits[0]).toMatchObject({ kind: 'decide', step: 'slow', because: expect.stringContaining('slow') as string })
  expect(run.progress.at(-1)?.waits).toEqual([])
  const noReturn = new Set(['slow'])
  expect(
    run.progress
      .map((progress) => passedNoReturn(progress, noReturn))
      .filter((step, at, all) => at === 0 || step !== all[at - 1]),
  ).toEqual([undefined, 'slow'])
})

test('a step whose condition does not hold is seen as left out once what waits for it begins', async () => {
  await using shop = await planWorkshop()
  const plan = planOf([
    stepThatCounts(shop.folder, 'a'),
    stepThatCounts(shop.folder, 'never', { after: ['a'], when: [{ value: '${steps.a.exitCode}', equals: 99 }] }),
    passingCheck('verify', ['never']),
  ])
  const run = await told(shop, plan)
  expect(story(run, 'never')).toEqual(['waiting', 'left-out'])
  expect(run.progress.find(({ steps }) => steps.get('verify')?.standing === 'running')?.steps.get('never')?.standing).toBe(
    'left-out',
  )
})

test('an approval is seen as long as it is waited for', async () => {
  await using shop = await planWorkshop()
  const plan = planOf([stepThatCounts('', 'ask', { action: { kind: 'approve', params: {} } }), passingCheck('verify', ['ask'])])
  const run = await told(shop, plan, async (engine) => {
    await expect.poll(async () => (await engine.status('r')).state).toBe('waiting')
    await engine.signal('r', 'approve:ask', { decision: 'approved', by: 'bob', planHash: (await engine.status('r')).planHash })
  })
  expect(story(run, 'ask')).toEqual(['waiting', 'running', 'done'])
  expect(run.progress.flatMap(({ waits }) => waits)[0]).toMatchObject({ kind: 'approve', step: 'ask' })
  expect(run.progress.find(({ waits }) => waits.length > 0)?.steps.get('ask')?.timeoutMs).toBeUndefined()
})

test.for([
  ['restore', { step: 'restore', part: 'action' }],
  ['restore#2', { step: 'restore', part: 'action' }],
  ['restore#2:check', { step: 'restore', part: 'check' }],
  ['restore:undo', { step: 'restore', part: 'undo' }],
  ['a:check', { step: 'a:check', part: 'action' }],
  ['preflight', { step: 'preflight', part: 'action' }],
] as const)('%s is of its step', ([name, part]) => {
  expect(partOf(name, new Set(['restore', 'a:check']))).toEqual(part)
})
