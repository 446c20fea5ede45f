import { expect, test } from 'vitest'
import { restoredIn } from './restored-in.ts'

const output = { service: 'db', repository: 'far', snapshot: 'abc', skipped: 0 }
const step = { kind: 'postgres.restore', state: 'done', output } as const

test('a snapshot came back whole where the step says that nothing is missing', () => {
  const { skipped: _skipped, ...silent } = output
  expect(restoredIn([step, { ...step, kind: 'files.restore' }])).toEqual(
    ['postgres', 'files'].map((source) => ({ service: 'db', source, repository: 'far', snapshot: 'abc' })),
  )
  expect(restoredIn([{ ...step, output: { ...output, skipped: 1 } }])).toEqual([])
  expect(restoredIn([{ ...step, output: silent }])).toEqual([])
  expect(
    restoredIn([
      { ...step, state: 'failed' },
      { ...step, kind: 'postgres.start' },
    ]),
  ).toEqual([])
})
