import { describe, expect, test } from 'vitest'
import { inputOf, planOf } from '../../../test/support/plans.ts'
import type { Plan } from '../../catalog/index.ts'
import type { RunView } from '../../durable/index.ts'
import { inputAsJson, type PlanInput } from '../../recovery/index.ts'
import { laterRun, runsAmong } from './plan-runs.ts'

const plan = { name: 'test', environment: 'test' } as Plan

function view(runId: string, parts: Partial<PlanInput> = {}, endedAt?: string): RunView {
  const input = inputOf(planOf([]), parts)
  return {
    runId,
    planHash: 'h',
    codeVersion: 'v',
    input: inputAsJson(input),
    submittedAt: '2026-11-26T12:00:00.000Z',
    state: endedAt === undefined ? 'interrupted' : 'completed',
    waitingFor: [],
    records: 1,
    ...(endedAt === undefined ? {} : { endedAt }),
  }
}

const drill = (mode: 'sandbox' | 'live') => ({
  drill: { mode, planHash: 'h', participants: [], changes: [], findings: { owner: 'me', dueMs: 1 } },
})
const ended = '2026-11-26T12:05:00.000Z'

describe('what counts as a run of the plan', () => {
  test('a recovery, by whomever it was started, and a drill for real', () => {
    expect(runsAmong(plan, [view('a', {}, ended)], undefined)).toMatchObject({
      lastRun: { runId: 'a', endedAt: new Date(ended) },
    })
    expect(runsAmong(plan, [view('a', drill('live'), ended)], undefined)).toMatchObject({ lastRun: { runId: 'a' } })
  })

  test('a drill in a sandbox does not: it must not keep a failover from being made', () => {
    expect(runsAmong(plan, [view('a', drill('sandbox'), ended), view('b', drill('sandbox'))], undefined)).toEqual({})
  })

  test('what is not a run of a plan is passed over', () => {
    expect(runsAmong(plan, [{ ...view('a'), input: { other: true } }], undefined)).toEqual({})
  })

  test('one that has not ended is open for every plan of its environment', () => {
    const other = { name: 'other', environment: 'test' } as Plan
    expect(runsAmong(other, [view('a')], undefined)).toEqual({ openRun: { runId: 'a' } })
    expect(runsAmong({ ...other, environment: 'elsewhere' }, [view('a')], undefined)).toEqual({})
  })

  test('one that was started by itself is unsettled once it has ended, until the incident is over', () => {
    expect(runsAmong(plan, [view('a', {}, ended)], { id: 'a' })).toMatchObject({ unsettled: { runId: 'a' } })
    expect(runsAmong(plan, [view('a')], { id: 'a' })).not.toHaveProperty('unsettled')
    expect(runsAmong(plan, [], { id: 'a' })).toEqual({})
  })
})

test('of two runs the one that ended later is the last', () => {
  const run = (runId: string, at: string) => ({ runId, startedAt: new Date('2026-11-26T11:00:00Z'), endedAt: new Date(at) })
  const [early, late] = [run('early', '2026-11-26T12:00:00Z'), run('late', '2026-11-26T13:00:00Z')]
  expect(laterRun(early, late)).toBe(late)
  expect(laterRun(late, early)).toBe(late)
  expect(laterRun(undefined, early)).toBe(early)
  expect(laterRun(early, undefined)).toBe(early)
})
