import { expect, test } from 'vitest'
import { typedName } from './demo.ts'

test('what a demo ends with can be typed as the demo was: npx runs it under a name that the shell does not have', () => {
  expect(typedName({ npm_lifecycle_event: 'npx' })).toBe('npx holdfast')
  expect(typedName({})).toBe('holdfast')
})
