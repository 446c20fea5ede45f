import fc from 'fast-check'
import { expect, test } from 'vitest'
import { dependencyStatus } from './dependency-status.ts'
import { dependencyPaths, type DependencyNode } from './dependency-path.ts'
import type { Verdict } from './verdict.ts'

const rank: Record<Verdict, number> = { unknown: 0, missed: 0, 'at-risk': 1, met: 2 }

/** A chain s0 ← s1 ← …, each with its own time or none. */
const chain = fc.array(fc.option(fc.integer({ min: 1, max: 100 }), { nil: undefined }), { minLength: 1, maxLength: 6 })

function verdictOf(times: readonly (number | undefined)[], declaredMs: number, allMeasured: boolean, assumed: readonly string[]) {
  const graph = new Map<string, DependencyNode>(
    times.map((ownMs, index) => [`s${index}`, { ownMs, dependsOn: index === 0 ? [] : [`s${index - 1}`] }]),
  )
  const path = dependencyPaths(graph).get(`s${times.length - 1}`)
  if (path === undefined) throw new Error('the chain has no end')
  return dependencyStatus(path, declaredMs, { allMeasured, assumed }).verdict
}

test('what is assumed, not measured, or not known is never met', () => {
  fc.assert(
    fc.property(chain, fc.integer({ min: 1, max: 1000 }), fc.boolean(), fc.boolean(), (times, declaredMs, measured, assumes) => {
      const verdict = verdictOf(times, declaredMs, measured, assumes ? ['payments'] : [])
      const isSure = measured && !assumes && !times.includes(undefined)
      expect(verdict === 'met' && !isSure).toBe(false)
      expect(verdict === 'unknown').toBe(times.includes(undefined) && verdict !== 'missed')
    }),
    { numRuns: 300 },
  )
})

test('less evidence, or a longer time of one, never gives a better verdict', () => {
  fc.assert(
    fc.property(
      chain,
      fc.integer({ min: 1, max: 1000 }),
      fc.nat(),
      fc.integer({ min: 0, max: 50 }),
      (times, declaredMs, at, more) => {
        const change = (to: (ms: number | undefined) => number | undefined) =>
          times.map((ms, index) => (index === at % times.length ? to(ms) : ms))
        const before = rank[verdictOf(times, declaredMs, true, [])]
        expect(
          rank[
            verdictOf(
              change(() => undefined),
              declaredMs,
              true,
              [],
            )
          ],
        ).toBeLessThanOrEqual(before)
        expect(
          rank[
            verdictOf(
              change((ms) => ms && ms + more),
              declaredMs,
              true,
              [],
            )
          ],
        ).toBeLessThanOrEqual(before)
        expect(rank[verdictOf(times, declaredMs, false, [])]).toBeLessThanOrEqual(before)
        expect(rank[verdictOf(times, declaredMs, true, ['payments'])]).toBeLessThanOrEqual(before)
      },
    ),
    { numRuns: 300 },
  )
})
