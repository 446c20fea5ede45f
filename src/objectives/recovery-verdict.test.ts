import { expect, test } from 'vitest'
import { recoveryVerdict, type FinishedRecovery } from './recovery-verdict.ts'

const recovered: FinishedRecovery = {
  outcome: 'completed',
  declared: { rpoMs: 5000, rtoMs: 60_000 },
  rpaMs: 400,
  rtaMs: 20_000,
  checks: 12,
  checksFailed: 0,
}

test('a checked recovery within both objectives is met', () => {
  expect(recoveryVerdict(recovered)).toEqual({
    rpo: { declaredMs: 5000, actualMs: 400, verdict: 'met', because: 'within-objective' },
    rto: { declaredMs: 60_000, actualMs: 20_000, verdict: 'met', because: 'within-objective' },
    verdict: 'met',
  })
})

test('one that looked at nothing is unknown, however fast it was', () => {
  expect(recoveryVerdict({ ...recovered, checks: 0 })).toMatchObject({
    verdict: 'unknown',
    rto: { because: 'nothing-was-checked' },
  })
})

test('one objective missed is missed, and says which', () => {
  expect(recoveryVerdict({ ...recovered, rtaMs: 60_001 })).toMatchObject({
    verdict: 'missed',
    rpo: { verdict: 'met' },
    rto: { verdict: 'missed', because: 'above-objective' },
  })
})

test('a failed run or a failed check misses, an aborted run says nothing', () => {
  expect(recoveryVerdict({ ...recovered, outcome: 'failed' }).verdict).toBe('missed')
  expect(recoveryVerdict({ ...recovered, checksFailed: 1 }).verdict).toBe('missed')
  expect(recoveryVerdict({ ...recovered, outcome: 'aborted' }).verdict).toBe('unknown')
})

test('what nobody measured is unknown, though the other is met', () => {
  expect(recoveryVerdict({ ...recovered, rpaMs: undefined })).toMatchObject({
    verdict: 'unknown',
    rpo: { because: 'not-measured' },
  })
})

test('only declared objectives are judged, and without any there is nothing to meet', () => {
  expect(recoveryVerdict({ ...recovered, declared: { rtoMs: 60_000 } })).toMatchObject({
    verdict: 'met',
    rpo: { verdict: 'unknown', because: 'not-declared', actualMs: 400 },
  })
  expect(recoveryVerdict({ ...recovered, declared: {} }).verdict).toBe('unknown')
})
