import { expect, test } from 'vitest'
import { allExcluded, excludedBecause } from './exclusions.ts'

const needs: Record<string, string[]> = { shop: ['api', 'db'], api: ['db'], db: [] }
const dependencies = (service: string) => needs[service] ?? []

test('an excluded service forbids experiments on itself and on all that it depends on, and on nothing else', () => {
  expect(excludedBecause(['shop'], ['shop'], dependencies)).toBe('shop is excluded from experiments')
  expect(excludedBecause(['db'], ['shop'], dependencies)).toBe('shop is excluded from experiments, and depends on db')
  // What depends on it may be broken: that does not reach down.
  expect(excludedBecause(['shop'], ['db'], dependencies)).toBeUndefined()
  expect(excludedBecause(['shop', 'api', 'db'], [], dependencies)).toBeUndefined()
})

test('what the catalog and the experiment exclude adds up', () => {
  const all = allExcluded([
    { services: ['a'], labels: { tier: 'gold' } },
    undefined,
    { services: ['a', 'b'], labels: { keep: 'yes', tier: 'silver' } },
  ])
  expect(all).toEqual({
    services: ['a', 'b'],
    labels: [
      ['tier', 'gold'],
      ['keep', 'yes'],
      ['tier', 'silver'],
    ],
  })
})
