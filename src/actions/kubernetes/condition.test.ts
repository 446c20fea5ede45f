import { expect, test } from 'vitest'
import { conditionOf } from './condition.ts'

const object = (status: unknown) => ({ apiVersion: 'v1', kind: 'Thing', metadata: { name: 'one' }, status })

test.each([undefined, null, {}, { conditions: null }, { conditions: [] }])('a status of %j has no condition yet', (status) => {
  expect(conditionOf(object(status), 'Ready')).toBeUndefined()
})

test('a condition is found by its type', () => {
  const ready = { type: 'Ready', status: 'True' }
  expect(conditionOf(object({ conditions: [{ type: 'Other', status: 'False' }, ready] }), 'Ready')).toMatchObject(ready)
})
