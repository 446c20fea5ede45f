import { expect, test } from 'vitest'
import { compare } from './compare-rows.ts'
import { payloadOf, type WriterLog } from './workload.ts'

const log: WriterLog = { writer: 1, lastAcknowledged: 3, acknowledgedAtMs: [10, 20, 30] }
const row = (seq: number, payload = payloadOf(1, seq)) => ({ writer: 1, seq, payload })

test('all rows back: nothing lost, the newest row dates the recovery point', () => {
  expect(compare([row(1), row(2), row(3)], [log])).toMatchObject({
    acknowledged: 3,
    recovered: 3,
    lost: 0,
    newestRecoveredAtMs: 30,
  })
})

test('a hole in the middle is a lost row, however new the last one is', () => {
  expect(compare([row(1), row(3)], [log])).toMatchObject({ recovered: 2, lost: 1, newestRecoveredAtMs: 30 })
})

test('a row with another content is damaged and counts as lost', () => {
  expect(compare([row(1), row(2), row(3, 'something else')], [log])).toMatchObject({ recovered: 2, lost: 1, damaged: 1 })
})

test('a row that was in flight may come back; it replaces none that was acknowledged', () => {
  expect(compare([row(1), row(2), row(4)], [log])).toMatchObject({ recovered: 2, lost: 1, unacknowledged: 1 })
})

test('nothing back: everything is lost and there is no recovery point', () => {
  expect(compare([], [log])).toMatchObject({ recovered: 0, lost: 3, newestRecoveredAtMs: undefined })
})
