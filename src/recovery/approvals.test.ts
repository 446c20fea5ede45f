import { expect, test } from 'vitest'
import { outcomeOf, passingCheck, planOf, planWorkshop, stepThatCounts, submitPlan } from '../../test/support/plans.ts'
import type { Plan } from './index.ts'

const approvals = [
  { given: 'an approval by another person', value: { decision: 'approved', by: 'bob' }, failure: undefined },
  { given: 'a denial', value: { decision: 'denied', by: 'bob', comment: 'not now' }, failure: 'approval-refused' },
  { given: 'an approval by who started the run', value: { decision: 'approved', by: 'alice' }, failure: 'approval-refused' },
  {
    given: 'an approval of another plan',
    value: { decision: 'approved', by: 'bob', planHash: 'x' },
    failure: 'approval-refused',
  },
]

function planWithApproval(folder: string, params: object): Plan {
  return planOf([
    stepThatCounts(folder, 'a'),
    stepThatCounts('', 'ask', { after: ['a'], action: { kind: 'approve', params: { ...params } } }),
    passingCheck('verify', ['ask']),
  ])
}

test.for(approvals)('$given ends the run: $failure', async ({ value, failure }) => {
  await using shop = await planWorkshop()
  await using engine = shop.open()
  await submitPlan(engine, planWithApproval(shop.folder, {}))
  await expect.poll(async () => (await engine.status('r')).waitingFor.map(({ name }) => name)).toEqual(['approve:ask'])
  await engine.signal('r', 'approve:ask', { planHash: (await engine.status('r')).planHash, ...value })
  const outcome = await outcomeOf(engine)
  expect(outcome.failure?.error.code).toBe(failure)
  expect(await shop.effects()).toEqual(failure === undefined ? ['a'] : ['a', 'undo-a'])
})

test('an approval that does not come in time is a refusal', async () => {
  await using shop = await planWorkshop()
  const outcome = await shop.run(planWithApproval(shop.folder, { expiresIn: '50ms' }))
  expect(outcome).toMatchObject({ status: 'rolled-back', failure: { step: 'ask', error: { code: 'approval-refused' } } })
  expect(await shop.effects()).toEqual(['a', 'undo-a'])
})
