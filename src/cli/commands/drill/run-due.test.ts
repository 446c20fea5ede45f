import { expect, test } from 'vitest'
import { dueRunsText } from './run-due.ts'

const nothing = { runs: [], gamedays: [], aborted: [], known: 0, unseen: [] }

test('that nothing could be drilled is said of what was asked for, and hides nothing', () => {
  expect(dueRunsText(nothing, undefined)).toMatch(/^the catalog has no plan that could be drilled/)
  expect(dueRunsText(nothing, 'staging')).toMatch(/^no plan recovers a service in staging that could be drilled/)
  expect(dueRunsText({ ...nothing, aborted: [{ runId: 'left' }] }, 'staging')).toContain('left, which an earlier call had left')
})
