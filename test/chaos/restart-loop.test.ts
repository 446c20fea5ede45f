import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { markedProcesses } from '../../src/faults/index.ts'
import { readDeaths } from '../../src/faults/process/deaths.ts'
import { bound, chaosFolder, guardIn, never, startVictim } from '../support/chaos.ts'
import { expectNothingLeft } from '../support/fault-crash.ts'
import { describeWith } from '../support/peers.ts'
import { startRunit, type RealRunit } from '../support/runit.ts'

describeWith('runit', 'process.restart-loop under a real runit', (runsvdir) => {
  let runit: RealRunit

  beforeAll(async () => {
    runit = await startRunit(runsvdir, { api: 'exec sleep 4711', other: 'exec sleep 4711.0' })
  })
  afterAll(() => runit[Symbol.asyncDispose]())

  const pidOf = async (name: string) => Number(/^run: .*\(pid (\d+)\)/.exec(await runit.status(name))?.[1])
  const params = (more: object = {}) => ({
    target: { pidFile: join(runit.service('api'), 'supervise/pid') },
    interval: '200ms',
    ...more,
  })

  test('what its supervisor brings back dies again and again, and lives from the end of the fault on', async () => {
    await using folder = await chaosFolder()
    await using guard = await guardIn(folder.path)
    const pids = [await pidOf('api')]
    const other = await pidOf('other')
    const fault = await guard.inject(bound('process.restart-loop', params()), 60_000, never)
    const deaths = () => readDeaths(join(folder.path, 'faults', fault.id))
    expect(fault.targets).toEqual([`process ${pids[0]} (sleep)`])
    await expect.poll(async () => (await deaths()).length).toBeGreaterThanOrEqual(3)
    expect(await fault.look(never)).toEqual({ state: 'present' })
    const dead = (await deaths()).map(({ pid }) => pid)
    expect(dead[0]).toBe(pids[0])
    expect(new Set(dead).size).toBe(dead.length)
    await fault.end()
    expect(await markedProcesses(fault.id)).toEqual([])
    expect(await fault.look(never)).toEqual({ state: 'absent' })
    await expect.poll(() => runit.status('api')).toMatch(/^run: .*\) ([2-9]|\d{2,})s/)
    expect(await pidOf('other')).toBe(other)
  })

  test('a process of another parent is not hit, whatever its name', async () => {
    await using folder = await chaosFolder()
    await using guard = await guardIn(folder.path)
    const pids = { api: await pidOf('api'), other: await pidOf('other') }
    const target = { command: 'sleep 4711', choose: 'one' }
    const fault = await guard.inject(bound('process.restart-loop', params({ target })), 60_000, never)
    const spared = fault.targets[0] === `process ${pids.api} (sleep)` ? 'other' : 'api'
    const deaths = () => readDeaths(join(folder.path, 'faults', fault.id))
    await expect.poll(async () => (await deaths()).length).toBeGreaterThanOrEqual(2)
    const stranger = spawn('sleep', ['4711'], { stdio: 'ignore' })
    await once(stranger, 'spawn')
    const before = (await deaths()).length
    await expect.poll(async () => (await deaths()).length).toBeGreaterThanOrEqual(before + 2)
    await fault.end()
    expect(await pidOf(spared)).toBe(pids[spared])
    expect(stranger.exitCode ?? stranger.signalCode).toBeNull()
    stranger.kill('SIGKILL')
  })

  test('an experiment that is killed leaves nothing that kills, at whatever step', { timeout: 600_000 }, async () => {
    await expectNothingLeft('process.restart-loop', params(), async (after) => {
      await expect.poll(() => runit.status('api'), { message: after }).toMatch(/^run: .*\) ([2-9]|\d{2,})s/)
    })
  })
})

test('what nothing brings back dies once; a pid, which does not come back, is refused', async () => {
  await using folder = await chaosFolder()
  await using victim = await startVictim()
  await using guard = await guardIn(folder.path)
  const once = bound('process.restart-loop', { target: { command: victim.file }, interval: '50ms' })
  const fault = await guard.inject(once, 60_000, never)
  expect(await victim.runs()).toBe(false)
  expect(await fault.look(never)).toEqual({ state: 'present' })
  await fault.end()
  expect(() => bound('process.restart-loop', { target: { pid: victim.pid } })).toThrow(/expected pidFile, name or command/)
})

test('a process that does not die of the signal is no fault', async () => {
  await using folder = await chaosFolder()
  await using victim = await startVictim()
  await using guard = await guardIn(folder.path)
  const loop = bound('process.restart-loop', { target: { command: victim.file }, signal: 'SIGHUP', interval: '50ms' })
  process.kill(victim.pid, 'SIGSTOP')
  await expect(guard.inject(loop, 60_000, never)).rejects.toMatchObject({
    code: 'fault-failed',
    message: expect.stringContaining('does not end by SIGHUP') as string,
  })
  expect(await victim.runs()).toBe(true)
})
