import { z } from 'zod'
import { parseDuration } from '../kernel/index.ts'
import { durationText } from '../catalog/index.ts'
import { defineAction } from './define-action.ts'

const params = z.strictObject({ for: durationText.describe('Counted from when the wait first began, also across a crash.') })

/** Waits. The time counts from when the wait first began, also across a crash. */
export const wait = defineAction<z.infer<typeof params>>({
  kind: 'wait',
  description: 'Waits. The time counts from when the wait first began, also across a crash.',
  example: { for: '60s' },
  effect: 'read-only',
  params,
  async wait({ for: text }, _context, waits) {
    await waits.sleep(parseDuration(text))
    return { waitedMs: parseDuration(text) }
  },
  reach: () => 'local',
  manual: ({ for: text }) => [`sleep ${parseDuration(text) / 1000}`],
})
