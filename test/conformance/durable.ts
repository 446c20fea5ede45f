import { describe, expect, test } from 'vitest'
import type { DurableEngine, RunContext, RunEvent, RunHandler } from '../../src/durable/index.ts'
import { HoldfastError, type Json } from '../../src/kernel/index.ts'

export interface EngineHarness extends AsyncDisposable {
  /** An engine on the harness's one store. Opening again after disposing the former is a restart of the worker. */
  open(handler: RunHandler): DurableEngine
}

const binding = { planHash: 'plan', codeVersion: '1' }
const spec = (runId = 'r', input: Json = null) => ({ runId, ...binding, input })

/** What every DurableEngine does: the contract of its interface, as claims. */
export function durableEngineConformance(name: string, createHarness: () => Promise<EngineHarness>): void {
  describe(`${name} keeps the contract of a durable engine`, () => {
    test('a run gives its value, and its input reaches the handler', async () => {
      await using harness = await createHarness()
      await using engine = harness.open(async (_context, input) => ({ got: input }))
      await engine.submit(spec('r', { a: 1 }))
      expect(await engine.attach('r')).toEqual({ state: 'completed', value: { got: { a: 1 } } })
      expect(await engine.attach('r')).toEqual({ state: 'completed', value: { got: { a: 1 } } })
      expect(await engine.status('r')).toMatchObject({ state: 'completed', ...binding, input: { a: 1 } })
    })

    test('submitting again does nothing; submitting another plan under the same id is refused', async () => {
      await using harness = await createHarness()
      let calls = 0
      await using engine = harness.open(async () => ++calls)
      await engine.submit(spec())
      await engine.attach('r')
      await engine.submit(spec())
      await expect(engine.submit({ ...spec(), planHash: 'other' })).rejects.toMatchObject({ code: 'plan-changed' })
      expect(await engine.attach('r')).toEqual({ state: 'completed', value: 1 })
      expect(calls).toBe(1)
    })

    test('a handler that throws has failed, and the error keeps its code', async () => {
      await using harness = await createHarness()
      await using engine = harness.open(() => Promise.reject(new HoldfastError('wal-gap', { message: 'a hole' })))
      await engine.submit(spec())
      expect(await engine.attach('r')).toMatchObject({ state: 'failed', error: { code: 'wal-gap', message: 'a hole' } })
    })

    test('runs are listed as they were submitted, and by the beginning of their id, their state, and the newest only', async () => {
      await using harness = await createHarness()
      await using engine = harness.open(async (_context, input) => (input === 'fail' ? Promise.reject(new Error('x')) : null))
      for (const [runId, input] of [
        ['b-1', 'fail'],
        ['a-1', null],
        ['b-2', null],
      ] as const) {
        await engine.submit(spec(runId, input))
        await engine.attach(runId)
        // In another millisecond, which is what tells them apart.
        await new Promise((resolve) => setTimeout(resolve, 5))
      }
      const ids = async (filter?: Parameters<DurableEngine['list']>[0]) => (await engine.list(filter)).map(({ runId }) => runId)
      expect(await ids()).toEqual(['b-1', 'a-1', 'b-2'])
      expect(await ids({ prefix: 'b-' })).toEqual(['b-1', 'b-2'])
      expect(await ids({ newest: 2 })).toEqual(['a-1', 'b-2'])
      expect(await ids({ prefix: 'b', newest: 1 })).toEqual(['b-2'])
      expect(await ids({ state: 'failed' })).toEqual(['b-1'])
      expect(await ids({ state: 'failed', newest: 1 })).toEqual([])
    })

    test('a run that nobody knows is named', async () => {
      await using harness = await createHarness()
      await using engine = harness.open(async () => null)
      await expect(engine.status('nobody')).rejects.toMatchObject({ code: 'run-not-found' })
      await expect(engine.resume('nobody', binding)).rejects.toMatchObject({ code: 'run-not-found' })
      await expect(engine.signal('nobody', 'x', 1)).rejects.toMatchObject({ code: 'run-not-found' })
    })

    test('a committed step never runs again; the one in flight runs again with the same key and knows that it was interrupted', async () => {
      await using harness = await createHarness()
      const calls: string[] = []
      const handler = (isSecondWorker: boolean) => async (context: RunContext) => {
        const first = await context.step('first', async () => {
          calls.push('first')
          return 41
        })
        return context.step('second', async ({ signal, attempt, previous, idempotencyKey }) => {
          calls.push(`second ${attempt} ${previous} ${idempotencyKey}`)
          if (!isSecondWorker) await aborted(signal)
          return Number(first) + 1
        })
      }
      {
        await using engine = harness.open(handler(false))
        await engine.submit(spec())
        await expect.poll(() => calls.length).toBe(2)
      }
      await using engine = harness.open(handler(true))
      await expect(engine.attach('r')).rejects.toMatchObject({ code: 'run-interrupted' })
      expect(await engine.status('r')).toMatchObject({ state: 'interrupted' })
      await engine.resume('r', binding)
      expect(await engine.attach('r')).toEqual({ state: 'completed', value: 42 })
      const key = calls[1]?.split(' ').at(-1) ?? ''
      expect(key).not.toBe('')
      expect(calls).toEqual(['first', `second 1 none ${key}`, `second 2 interrupted ${key}`])
    })

    test('a step that was let go does not fail in the eyes of its handler', async () => {
      await using harness = await createHarness()
      const seen: string[] = []
      {
        await using engine = harness.open(async (context) => {
          await context.step('slow', ({ signal }) => aborted(signal)).catch(() => seen.push('failed'))
          seen.push('went on')
          return null
        })
        await engine.submit(spec())
        await expect.poll(async () => (await eventsOf(engine)).some((event) => event.type === 'step-started')).toBe(true)
      }
      expect(seen).toEqual([])
    })

    test('another plan or another version does not resume', async () => {
      await using harness = await createHarness()
      {
        await using engine = harness.open((context) => context.step('slow', ({ signal }) => aborted(signal)))
        await engine.submit(spec())
      }
      await using engine = harness.open(async () => null)
      await expect(engine.resume('r', { ...binding, planHash: 'other' })).rejects.toMatchObject({ code: 'plan-changed' })
      await expect(engine.resume('r', { ...binding, codeVersion: '2' })).rejects.toMatchObject({ code: 'plan-changed' })
      await engine.resume('r', binding)
      expect(await engine.attach('r')).toMatchObject({ state: 'completed' })
    })

    test('retries end with the last error, which keeps its code after a restart', async () => {
      await using harness = await createHarness()
      const handler: RunHandler = async (context) => {
        const retry = { attempts: 3, delayMs: 1, factor: 2, maxDelayMs: 10 }
        const body = ({ attempt }: { attempt: number }) =>
          Promise.reject(new HoldfastError('command-failed', { message: `attempt ${attempt}` }))
        const error: unknown = await context.step('a', body, { retry }).catch((thrown: unknown) => thrown)
        await context.waitSignal('go')
        return error instanceof HoldfastError ? `${error.code}: ${error.message}` : null
      }
      {
        await using engine = harness.open(handler)
        await engine.submit(spec())
        await expect.poll(async () => (await engine.status('r')).state).toBe('waiting')
      }
      await using engine = harness.open(handler)
      await engine.resume('r', binding)
      await engine.signal('r', 'go', true)
      expect(await engine.attach('r')).toEqual({ state: 'completed', value: 'command-failed: attempt 3' })
    })

    test('an error that must not be retried is not', async () => {
      await using harness = await createHarness()
      let calls = 0
      await using engine = harness.open((context) =>
        context.step(
          'a',
          () => {
            calls++
            return Promise.reject(new HoldfastError('identity-mismatch', { message: 'not it' }))
          },
          { retry: { attempts: 5, delayMs: 1, factor: 1, maxDelayMs: 1, mayRetry: () => false } },
        ),
      )
      await engine.submit(spec())
      expect(await engine.attach('r')).toMatchObject({ state: 'failed', error: { code: 'identity-mismatch' } })
      expect(calls).toBe(1)
    })

    test('a step that timed out has settled before its error is seen', async () => {
      await using harness = await createHarness()
      const order: string[] = []
      await using engine = harness.open(async (context) => {
        const body = async ({ signal }: { signal: AbortSignal }) => {
          await aborted(signal).catch(() => {})
          await new Promise((resolve) => setTimeout(resolve, 50))
          order.push('settled')
          throw new Error('stopped')
        }
        const error: unknown = await context.step('slow', body, { timeoutMs: 20 }).catch((thrown: unknown) => thrown)
        order.push(error instanceof HoldfastError ? error.code : 'other')
        return null
      })
      await engine.submit(spec())
      await engine.attach('r')
      expect(order).toEqual(['settled', 'timed-out'])
    })

    test('a step whose work was finished when its time ran out is committed', async () => {
      await using harness = await createHarness()
      await using engine = harness.open((context) =>
        context.step(
          'slow',
          async ({ signal }) => {
            await aborted(signal).catch(() => {})
            return 'done after all'
          },
          { timeoutMs: 20 },
        ),
      )
      await engine.submit(spec())
      expect(await engine.attach('r')).toEqual({ state: 'completed', value: 'done after all' })
    })

    test('a result of more than 1 MB is refused', async () => {
      await using harness = await createHarness()
      await using engine = harness.open((context) => context.step('big', async () => 'x'.repeat(1024 * 1024)))
      await engine.submit(spec())
      expect(await engine.attach('r')).toMatchObject({ state: 'failed', error: { code: 'result-too-large' } })
    })

    test('a cancelled run stops what it does, and what is shielded still runs', async () => {
      await using harness = await createHarness()
      await using engine = harness.open(async (context) => {
        const error: unknown = await context.step('slow', ({ signal }) => aborted(signal)).catch((thrown: unknown) => thrown)
        const next: unknown = await context.step('next', async () => 1).catch((thrown: unknown) => thrown)
        const undo = await context.step('undo', async () => 'undone', { shielded: true })
        return [startedOf(error), startedOf(next), undo]
      })
      await engine.submit(spec())
      await expect.poll(async () => (await eventsOf(engine)).some((event) => event.type === 'step-started')).toBe(true)
      await engine.requestCancel('r', 'wrong')
      expect(await engine.attach('r')).toEqual({ state: 'completed', value: [true, false, 'undone'] })
      expect(await engine.status('r')).toMatchObject({ cancelRequested: 'wrong' })
    })

    test('a cancellation of an interrupted run counts when it is resumed, but not for what was committed before', async () => {
      await using harness = await createHarness()
      const handler: RunHandler = async (context) => {
        const first = await context.step('first', async () => 1)
        const error: unknown = await context.step('slow', ({ signal }) => aborted(signal)).catch((thrown: unknown) => thrown)
        return [first, startedOf(error)]
      }
      {
        await using engine = harness.open(handler)
        await engine.submit(spec())
        await expect.poll(async () => (await eventsOf(engine)).filter((event) => event.type === 'step-started').length).toBe(2)
      }
      await using engine = harness.open(handler)
      await engine.requestCancel('r', 'wrong')
      await engine.resume('r', binding)
      expect(await engine.attach('r')).toEqual({ state: 'completed', value: [1, true] })
    })

    test('an uninterruptible step is not cut short by a cancellation, and one not begun does not begin', async () => {
      await using harness = await createHarness()
      let release: () => void = () => {}
      const released = new Promise<void>((resolve) => (release = resolve))
      await using engine = harness.open(async (context) => {
        const value = await context.step('promote', () => released.then(() => 'whole'), { uninterruptible: true })
        const next: unknown = await context.step('b', async () => 1, { uninterruptible: true }).catch((thrown: unknown) => thrown)
        return [value, startedOf(next)]
      })
      await engine.submit(spec())
      await expect.poll(async () => (await eventsOf(engine)).some((event) => event.type === 'step-started')).toBe(true)
      await engine.requestCancel('r', 'wrong')
      await expect.poll(async () => (await engine.status('r')).cancelRequested).toBe('wrong')
      release()
      expect(await engine.attach('r')).toEqual({ state: 'completed', value: ['whole', false] })
    })

    test('a signal is delivered once, before or after its wait begins, also over a restart', async () => {
      await using harness = await createHarness()
      const handler: RunHandler = async (context) => [
        (await context.waitSignal('a')) ?? null,
        (await context.waitSignal('b')) ?? null,
      ]
      {
        await using engine = harness.open(handler)
        await engine.submit(spec())
        await engine.signal('r', 'b', 'early')
        await expect.poll(async () => (await engine.status('r')).waitingFor).toEqual([{ name: 'a' }])
      }
      await using engine = harness.open(handler)
      await engine.signal('r', 'a', 'while nobody worked on it')
      await engine.resume('r', binding)
      expect(await engine.attach('r')).toEqual({ state: 'completed', value: ['while nobody worked on it', 'early'] })
      await expect(engine.signal('r', 'a', 'late')).rejects.toMatchObject({ code: 'usage' })
    })

    test('a wait ends when its time is up, counted from when it first began', async () => {
      await using harness = await createHarness()
      const handler: RunHandler = async (context) => (await context.waitSignal('a', { timeoutMs: 300 })) ?? 'nothing came'
      let deadline: number | undefined
      {
        await using engine = harness.open(handler)
        await engine.submit(spec())
        await expect.poll(async () => (await engine.status('r')).waitingFor.length).toBe(1)
        deadline = (await engine.status('r')).waitingFor[0]?.untilMs
      }
      await using engine = harness.open(handler)
      await engine.resume('r', binding)
      expect((await engine.status('r')).waitingFor[0]?.untilMs ?? deadline).toBe(deadline)
      expect(await engine.attach('r')).toEqual({ state: 'completed', value: 'nothing came' })
    })

    test('now, once asked, stays the same', async () => {
      await using harness = await createHarness()
      const handler: RunHandler = async (context) => {
        const at = await context.now('begin')
        await context.sleep('pause', 1)
        await context.waitSignal('go')
        return at.toISOString()
      }
      let first: string | undefined
      {
        await using engine = harness.open(handler)
        await engine.submit(spec())
        await expect.poll(async () => (await engine.status('r')).waitingFor.length).toBe(1)
        first = (await eventsOf(engine)).find((event) => event.type === 'now')?.at
      }
      await using engine = harness.open(handler)
      await engine.resume('r', binding)
      await engine.signal('r', 'go', true)
      expect(await engine.attach('r')).toEqual({ state: 'completed', value: first })
    })

    test('branches run at the same time, all settle, and the first error in their order is thrown', async () => {
      await using harness = await createHarness()
      let open = 0
      let most = 0
      await using engine = harness.open(async (context) => {
        const branch = (id: string, fails: boolean) => () =>
          context.step(id, async () => {
            most = Math.max(most, ++open)
            await new Promise((resolve) => setTimeout(resolve, 30))
            open--
            if (fails) throw new HoldfastError('command-failed', { message: id })
            return id
          })
        const error: unknown = await context
          .all([branch('a', false), branch('b', true), branch('c', true)])
          .catch((thrown: unknown) => thrown)
        return [open, error instanceof HoldfastError ? error.message : 'none']
      })
      await engine.submit(spec())
      expect(await engine.attach('r')).toEqual({ state: 'completed', value: [0, 'b'] })
      expect(most).toBe(3)
    })

    test('an environment belongs to one run; the token grows with every holder, and an interrupted run keeps it', async () => {
      await using harness = await createHarness()
      const tokens: number[] = []
      const handler: RunHandler = (context) =>
        context.withLock('prod', async (token) => {
          tokens.push(token)
          await context.step('work', async () => 1)
          return (await context.waitSignal('go')) ?? null
        })
      {
        await using engine = harness.open(handler)
        await engine.submit(spec('one'))
        await expect.poll(async () => (await engine.status('one')).state).toBe('waiting')
        await engine.submit(spec('two'))
        expect(await engine.attach('two')).toMatchObject({ state: 'failed', error: { code: 'run-busy' } })
      }
      await using engine = harness.open(handler)
      await engine.submit(spec('three'))
      expect(await engine.attach('three')).toMatchObject({ state: 'failed', error: { code: 'run-busy' } })
      await engine.resume('one', binding)
      await engine.signal('one', 'go', 1)
      await engine.attach('one')
      await engine.submit(spec('four'))
      await engine.signal('four', 'go', 1)
      expect(await engine.attach('four')).toMatchObject({ state: 'completed' })
      expect(tokens).toHaveLength(3)
      expect(tokens.every((token, index) => index === 0 || token > (tokens[index - 1] ?? 0))).toBe(true)
    })

    test('history tells everything in order, and following it ends with the run', async () => {
      await using harness = await createHarness()
      await using engine = harness.open(async (context) => {
        await context.note('said', { text: 'hello' })
        await context.step('a', async () => 1)
        return null
      })
      await engine.submit(spec())
      const followed = await Array.fromAsync(engine.history('r', { follow: true }))
      expect(followed.map(({ type }) => type)).toEqual(['submitted', 'note', 'step-started', 'step-committed', 'ended'])
      expect(followed.map(({ seq }) => seq)).toEqual(followed.toSorted((a, b) => a.seq - b.seq).map(({ seq }) => seq))
      expect(await eventsOf(engine)).toEqual(followed)
    })

    test('a run’s end is its last record, however many signals come in with it', async () => {
      await using harness = await createHarness()
      await using engine = harness.open(async (context) => (await context.waitSignal('go')) ?? null)
      await using elsewhere = harness.open(async () => null)
      for (let round = 0; round < 10; round++) {
        const runId = `r${round}`
        await engine.submit(spec(runId))
        // Whoever decides twice, or at the same time as another.
        while ((await elsewhere.status(runId)).endedAt === undefined) await elsewhere.signal(runId, 'go', true).catch(() => {})
        await engine.attach(runId)
        const followed = await Array.fromAsync(elsewhere.history(runId, { follow: true }))
        expect(followed.findIndex(({ type }) => type === 'ended')).toBe(followed.length - 1)
      }
    })

    test('list shows every run, and those of one state', async () => {
      await using harness = await createHarness()
      await using engine = harness.open(async (context, input) =>
        input === 'wait' ? ((await context.waitSignal('go')) ?? null) : 1,
      )
      await engine.submit(spec('done'))
      await engine.attach('done')
      await engine.submit(spec('open', 'wait'))
      await expect.poll(async () => (await engine.status('open')).state).toBe('waiting')
      expect((await engine.list()).map(({ runId }) => runId)).toEqual(['done', 'open'])
      expect((await engine.list({ state: 'waiting' })).map(({ runId }) => runId)).toEqual(['open'])
    })
  })
}

function eventsOf(engine: DurableEngine): Promise<RunEvent[]> {
  return Array.fromAsync(engine.history('r'))
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    if (signal.aborted) reject(signal.reason as Error)
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true })
  })
}

/** Whether a step that a cancellation ended had begun; undefined for any other error. */
function startedOf(error: unknown): boolean | null {
  return error instanceof HoldfastError && error.code === 'run-cancelled' ? error.details.started === true : null
}
