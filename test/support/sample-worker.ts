import { HoldfastError } from '../../src/kernel/index.ts'
import { Moved, serve } from '../../src/threads/index.ts'

export interface SampleCalls {
  add: { input: { a: number; b: number }; output: number }
  fill: { input: { length: number }; output: Uint8Array }
  fail: { input: { known: boolean }; output: never }
  askMain: { input: { question: string }; output: string }
  die: { input: Record<string, never>; output: never }
  spin: { input: Record<string, never>; output: never }
}

export interface SampleMainCalls {
  answer: { input: { question: string }; output: string }
}

/** The worker that the thread pool's tests talk to: see src/threads/pool.test.ts. */
await serve<SampleCalls, SampleMainCalls, { offset: number }>(({ offset }, main) => ({
  add: ({ a, b }) => a + b + offset,
  fill: ({ length }) => {
    const bytes = new Uint8Array(length).fill(7)
    return new Moved(bytes, [bytes.buffer])
  },
  fail: ({ known }) => {
    if (!known) throw new TypeError('not what was expected')
    throw new HoldfastError('disk-full', {
      message: 'no space left',
      hint: 'free some',
      details: { path: '/x' },
      retryable: true,
    })
  },
  askMain: ({ question }) => main.call('answer', { question }),
  die: () => process.exit(7),
  spin: () => {
    for (;;);
  },
}))
