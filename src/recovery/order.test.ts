import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ancestors, stepsBehind, topologicalOrder, undoOrder } from './order.ts'

interface Step {
  readonly id: string
  readonly after: readonly string[]
}

/** Plans without cycles, their steps in any order, and a time for each step; also the same one twice. */
const plans = fc
  .array(fc.record({ after: fc.array(fc.nat(20), { maxLength: 4 }), completedAtMs: fc.nat(5), isCompleted: fc.boolean() }), {
    maxLength: 20,
  })
  .chain((parts) => {
    const steps = parts.map(({ after, ...rest }, index) => ({
      id: `s${index}`,
      after: after.filter((before) => before < index).map((before) => `s${before}`),
      ...rest,
    }))
    return fc.shuffledSubarray(steps, { minLength: steps.length })
  })

test('what a plan says in one order is done in another only where it must be', () => {
  fc.assert(
    fc.property(plans, (steps) => {
      expect(topologicalOrder(steps)).toEqual(inTheCatalogsOrder(steps))
    }),
  )
})

/** As the promise is worded, step by step. */
function inTheCatalogsOrder<T extends Step>(steps: readonly T[]): T[] {
  const ordered: T[] = []
  const isPlaced = (id: string) => ordered.some((step) => step.id === id)
  for (;;) {
    const next = steps.find(({ id, after }) => !isPlaced(id) && after.every(isPlaced))
    if (next === undefined) return ordered
    ordered.push(next)
  }
}

test('steps are undone the last completed first, none before what builds on it, however far between them', () => {
  fc.assert(
    fc.property(plans, (steps) => {
      const completed = steps.filter(({ isCompleted }) => isCompleted)
      expect(undoOrder(completed, steps)).toEqual(theLastFirst(completed, steps))
    }),
  )
})

function theLastFirst<T extends Step & { readonly completedAtMs: number }>(completed: readonly T[], steps: readonly Step[]): T[] {
  const remaining = [...completed]
  const ordered: T[] = []
  while (remaining.length > 0) {
    const free = remaining.filter(({ id }) => !remaining.some((other) => ancestors(other.id, steps).has(id)))
    const next = free.reduce((latest, step) => (step.completedAtMs >= latest.completedAtMs ? step : latest))
    ordered.push(...remaining.splice(remaining.indexOf(next), 1))
  }
  return ordered
}

test('a step is behind another exactly when that is among its ancestors', () => {
  fc.assert(
    fc.property(plans, (steps) => {
      const behind = stepsBehind(steps, ({ isCompleted }) => isCompleted)
      for (const { id } of steps) {
        const past = ancestors(id, steps)
        expect(behind.has(id)).toBe(steps.some((step) => step.isCompleted && past.has(step.id)))
      }
    }),
  )
})

test('ancestors are found through others, and a step is none of its own', () => {
  const steps = [
    { id: 'c', after: ['b'] },
    { id: 'b', after: ['a'] },
    { id: 'a', after: [] },
  ]
  expect(ancestors('c', steps)).toEqual(new Set(['b', 'a']))
  expect(ancestors('a', steps)).toEqual(new Set())
})

const refused = [
  {
    given: 'steps that wait for each other',
    steps: [step('a', 'b'), step('b', 'a'), step('c')],
    says: 'steps a, b wait for each other',
  },
  { given: 'a step that waits for itself', steps: [step('a', 'a')], says: 'steps a wait for each other' },
  {
    given: 'a step that waits for none of the plan',
    steps: [step('a', 'x'), step('b')],
    says: 'a waits for x, which is not a step',
  },
  { given: 'the same id twice', steps: [step('a'), step('a')], says: 'two steps have the same id' },
]

test.for(refused)('$given: refused', ({ steps, says }) => {
  expect(() => topologicalOrder(steps)).toThrow(
    expect.objectContaining({ code: 'catalog-invalid', message: expect.stringContaining(says) as string }),
  )
})

function step(id: string, ...after: string[]): Step {
  return { id, after }
}
