import { z } from 'zod'
import { defineAction } from './define-action.ts'
import { durationMs, durationText } from './param-types.ts'

const params = z.strictObject({ for: durationText })

/** Waits. The time counts from when the wait first began, also across a crash. */
export const wait = defineAction<z.infer<typeof params>>({
  kind: 'wait',
  effect: 'read-only',
  params,
  async wait({ for: text }, _context, waits) {
    await waits.sleep(durationMs(text))
    return { waitedMs: durationMs(text) }
  },
  manual: ({ for: text }) => [`sleep ${durationMs(text) / 1000}`],
})
