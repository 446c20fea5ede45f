import { describe, expect, test } from 'vitest'
import { HoldfastError } from '../../src/kernel/index.ts'
import { faulty, type FaultRule } from '../../src/storage/index.ts'
import { copyOf, expectWhole, openMemory as open, pruneNow, usedInPart } from '../support/part-used.ts'

describe('a prune that dies', () => {
  // Before the first one and after each: every state that a crash can leave.
  test.each(['put', 'delete'] as const)(
    'after any %s leaves a whole repository, which the next one prunes',

    async (on) => {
      const before = await usedInPart()
      let died = 0
      for (let nth = 1; ; nth++) {
        const backend = await copyOf(before)
        const script: FaultRule[] = [{ on, nth, fault: { type: 'crash', at: 'after' } }]
        const ended = await pruneNow(await open(faulty(backend, script))).then(
          () => 'done',
          (error: HoldfastError) => error.code,
        )
        await expectWhole(backend)
        const after = await open(backend)
        await after.unlock({ all: true })
        expect(await pruneNow(after)).toMatchObject({ unusedAfterBytes: 0 })
        await expectWhole(backend)
        // What an interrupted prune had moved is not stored twice in the end.
        expect(await pruneNow(after, { dryRun: true })).toMatchObject({ freedBytes: 0, unused: { count: 0 } })
        if (ended === 'done') break
        expect(ended).toBe('storage-failed')
        died = nth
      }
      expect(died).toBeGreaterThan(3)
    },
  )

  test.each(['put', 'delete'] as const)('of an error at any %s goes on when it is run again', async (on) => {
    const before = await usedInPart()
    const error = new HoldfastError('disk-full', { message: 'no space left' })
    for (let nth = 1; ; nth++) {
      const backend = await copyOf(before)
      const repository = await open(faulty(backend, [{ on, nth, fault: { type: 'error', error } }]))
      const ended = await pruneNow(repository).then(
        () => 'done',
        ({ code }: HoldfastError) => code,
      )
      await expectWhole(backend)
      const after = await open(backend)
      await after.unlock({ all: true })
      expect(await pruneNow(after)).toMatchObject({ unusedAfterBytes: 0 })
      await expectWhole(backend)
      if (ended === 'done') break
    }
  })
})
