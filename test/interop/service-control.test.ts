import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { actions, type BoundAction } from '../../src/actions/index.ts'
import { isHoldfastError } from '../../src/kernel/index.ts'
import { contextIn } from '../support/plans.ts'
import { describeWith } from '../support/peers.ts'
import { startRunit, type RealRunit } from '../support/runit.ts'

let runit: RealRunit
let key = 0
const signal = new AbortController().signal
const attempt = () => ({ signal, idempotencyKey: `r/${key}`, attempt: 1, fencingToken: 1, timeoutMs: 20_000 })
const after = (previous: 'none' | 'interrupted') => ({ signal, idempotencyKey: `r/${key}`, previous })
const context = () => contextIn(runit.folder)

function control(to: string, name = 'plain', more: object = {}): BoundAction {
  const action = actions.find(({ kind }) => kind === 'service.control')
  if (action === undefined) throw new Error('there is no service.control')
  return action.bind({ service: runit.service(name), to, ...more })
}

const status = (name = 'plain') => runit.status(name)

describeWith('runit', 'service.control under a real runit', (runsvdir) => {
  beforeAll(async () => {
    const stubborn = "trap '' TERM\nwhile :; do sleep 0.1; done"
    runit = await startRunit(runsvdir, { plain: 'exec sleep 1000', stubborn })
  })
  beforeEach(() => {
    key++
  })
  afterAll(async () => {
    await runit[Symbol.asyncDispose]()
  })

  test('it stops, stays stopped, and is started again by the undo', async () => {
    const action = control('stop')
    expect(await action.preflight(context(), signal)).toEqual([])
    expect(await action.probe(context(), after('none'))).toEqual({ state: 'not-done' })
    expect(await action.run(context(), attempt())).toEqual({ up: false, pid: null, wasUp: true })
    expect(await status()).toMatch(/^down:/)
    expect((await action.probe(context(), after('interrupted'))).state).toBe('done')
    await action.undo(null, context(), attempt())
    await action.undo(null, context(), attempt())
    expect(await status()).toMatch(/^run:/)
  })

  test('what was stopped before is not started by the undo', async () => {
    await control('stop').run(context(), attempt())
    key++
    const action = control('stop')
    expect((await action.probe(context(), after('none'))).state).toBe('done')
    expect(await action.run(context(), attempt())).toMatchObject({ wasUp: false })
    await action.undo(null, context(), attempt())
    expect(await status()).toMatch(/^down:/)
    expect(await control('start').run(context(), { ...attempt(), idempotencyKey: 'other' })).toMatchObject({
      up: true,
      wasUp: false,
    })
  })

  test('a restart gives another process, and one that was interrupted can tell', async () => {
    const before = /pid (\d+)/.exec(await status())?.[1]
    const action = control('restart')
    expect(action.canUndo).toBe(false)
    expect(await action.probe(context(), after('none'))).toEqual({ state: 'not-done' })
    const output = await action.run(context(), attempt())
    expect(output).toMatchObject({ up: true, wasUp: true })
    expect(output).not.toMatchObject({ pid: Number(before) })
    expect((await action.probe(context(), after('interrupted'))).state).toBe('done')
  })

  test('a service that ignores being told to stop is not called stopped', async () => {
    const action = control('stop', 'stubborn', { within: '500ms' })
    await expect(action.run(context(), attempt())).rejects.toMatchObject({
      code: 'timed-out',
      message: expect.stringContaining('it is running') as string,
    })
    expect((await action.probe(context(), after('interrupted'))).state).toBe('unknown')
  })

  test('a folder that does not exist stops the plan, and so does one that nothing supervises', async () => {
    expect(await control('stop', 'nope').preflight(context(), signal)).toMatchObject([
      { severity: 'blocker', code: 'service-missing' },
    ])
    await mkdir(join(runit.folder, 'alone'))
    const alone = await control('stop', '../alone')
      .preflight(context(), signal)
      .catch((error: unknown) => error)
    expect(isHoldfastError(alone, 'command-failed')).toBe(true)
  })
})
