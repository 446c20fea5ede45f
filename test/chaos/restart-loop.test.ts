import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { markedProcesses } from '../../src/faults/index.ts'
import { readDeaths } from '../../src/faults/process/deaths.ts'
import { listProcesses } from '../../src/faults/process/list.ts'
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
  /** It has not died for two seconds. */
  const expectLife = async (message: string) => {
    await expect.poll(() => runit.status('api'), { message }).toMatch(/^run: .*\) ([2-9]|\d{2,})s/)
  }
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
    await expectLife('after the fault')
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
    // What died last may not have been brought back yet.
    await expectLife('before')
    await expectNothingLeft('process.restart-loop', params(), expectLife)
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

/** A supervisor that starts `sh FILE NUMBER` twice, and anew whenever one has ended; NUMBER counts. Its own command line has no FILE in it. */
async function startSupervisor(folder: string, script: string) {
  const file = join(folder, 'child.sh')
  await writeFile(file, script)
  const supervise = `
    let number = 0
    const start = () => require('node:child_process').spawn('sh', [process.env.CHILD, String(++number)]).once('exit', start)
    start(); start()`
  const supervisor = spawn(process.execPath, ['-e', supervise], {
    env: { ...process.env, CHILD: file },
    detached: true,
    stdio: 'ignore',
  })
  const children = () => listProcesses().filter(({ command }) => command.startsWith(`sh ${file}`))
  await expect.poll(() => children().length).toBe(2)
  return {
    file,
    children,
    [Symbol.asyncDispose]: async () => {
      const ended = once(supervisor, 'exit')
      supervisor.kill('SIGKILL')
      await ended
      for (const { pid } of children()) process.kill(pid, 'SIGKILL')
    },
  }
}

test('of two children of one parent only the chosen one dies, and what comes in its place', async () => {
  await using folder = await chaosFolder()
  await using supervisor = await startSupervisor(folder.path, 'while :; do read -r line < "$0.never" || sleep 1; done')
  await using guard = await guardIn(folder.path)
  const loop = bound('process.restart-loop', { target: { command: supervisor.file, choose: 'one' }, interval: '100ms' })
  const before = supervisor.children().map(({ pid }) => pid)
  const fault = await guard.inject(loop, 60_000, never)
  const deaths = async () => (await readDeaths(join(folder.path, 'faults', fault.id))).map(({ pid }) => pid)
  await expect.poll(async () => (await deaths()).length).toBeGreaterThanOrEqual(5)
  const dead = await deaths()
  expect(fault.targets).toEqual([`process ${dead[0]} (sh)`])
  await fault.end()
  const other = before.find((pid) => pid !== dead[0])
  expect(dead).not.toContain(other)
  expect(supervisor.children().map(({ pid }) => pid)).toContain(other)
})

test('when who kills has given up, the fault says why', async () => {
  await using folder = await chaosFolder()
  const script = `[ "$1" -le 2 ] || trap '' TERM; while :; do sleep 0.05; done`
  await using supervisor = await startSupervisor(folder.path, script)
  await using guard = await guardIn(folder.path)
  const target = { command: supervisor.file, choose: 'one' }
  const loop = bound('process.restart-loop', { target, signal: 'SIGTERM', interval: '500ms' })
  const fault = await guard.inject(loop, 60_000, never)
  await expect
    .poll(() => fault.look(never), { timeout: 30_000 })
    .toEqual({
      state: 'partly',
      because: expect.stringMatching(/^it has ended by itself: .* does not end by SIGTERM$/) as string,
    })
  await fault.end()
})
