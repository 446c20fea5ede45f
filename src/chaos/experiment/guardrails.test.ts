import { expect, test } from 'vitest'
import { promotion, tooMuch, type PastRun } from './guardrails.ts'

const run = (environment: PastRun['environment'], verdict: PastRun['verdict'], hash = 'h'): PastRun => ({
  hash,
  environment,
  verdict,
})
const pass = run('dev', 'pass')

test('an experiment goes on to the next environment after so many passes of the same in the one before', () => {
  expect(promotion([], 'h', 'dev', 3).allowed).toBe(true)
  expect(promotion([pass, pass], 'h', 'staging', 3)).toEqual({ allowed: false, before: 'dev', passed: 2, needed: 3 })
  expect(promotion([pass, pass, pass], 'h', 'staging', 3).allowed).toBe(true)
  expect(promotion([pass, pass, pass], 'h', 'production', 3)).toMatchObject({ allowed: false, before: 'staging', passed: 0 })
  expect(promotion([pass, pass, run('dev', 'pass', 'other')], 'h', 'staging', 3).allowed).toBe(false)
})

test('a failure anywhere, or something left behind, demotes it; what showed nothing does neither', () => {
  const passes = [pass, pass, pass]
  expect(promotion([...passes, run('staging', 'fail')], 'h', 'staging', 3).allowed).toBe(false)
  expect(promotion([...passes, run('dev', 'cleanup-failed')], 'h', 'staging', 3).allowed).toBe(false)
  expect(promotion([...passes, run('dev', 'inconclusive'), run('dev', 'aborted')], 'h', 'staging', 3).allowed).toBe(true)
  expect(promotion([pass, pass, run('dev', 'inconclusive')], 'h', 'staging', 3).allowed).toBe(false)
  expect(promotion([...passes, run('staging', 'fail'), ...passes], 'h', 'staging', 3).allowed).toBe(true)
})

test('a blast radius is a number of targets, and a share of what could have been hit', () => {
  const targets = ['a', 'b']
  expect(tooMuch({ blastRadius: {} }, { targets })).toBeUndefined()
  expect(tooMuch({ blastRadius: { targets: 2 } }, { targets })).toBeUndefined()
  expect(tooMuch({ blastRadius: { targets: 1 } }, { targets })).toContain('more than 1')
  expect(tooMuch({ blastRadius: { percent: 50 } }, { targets, candidates: 4 })).toBeUndefined()
  expect(tooMuch({ blastRadius: { percent: 50 } }, { targets, candidates: 3 })).toContain('2 of 3')
  // Those that are hit are all that is known of.
  expect(tooMuch({ blastRadius: { percent: 50 } }, { targets })).toContain('2 of 2')
})
