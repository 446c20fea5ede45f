import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { expect, test } from 'vitest'
import { freeze, findFreezer, groupOf, isFrozen, thaw } from '../../src/faults/process/freezer.ts'
import { bound, chaosFolder, guardIn, never, startVictim } from '../support/chaos.ts'
import { expectNothingLeft } from '../support/fault-crash.ts'

test.for(['signal', 'freezer'] as const)('a process paused by %s stands still, and goes on when the fault ends', async (by) => {
  await using folder = await chaosFolder()
  await using victim = await startVictim()
  await using guard = await guardIn(folder.path)
  const fault = await guard.inject(bound('process.pause', { target: { pid: victim.pid }, by }), 60_000, never)
  expect(await victim.standsStill()).toBe(true)
  expect(fault.targets).toEqual([`process ${victim.pid} (sh)`])
  expect(await fault.look(never)).toEqual({ state: 'present' })
  expect(await fault.end()).toMatchObject({ by: 'injector' })
  expect(await victim.standsStill()).toBe(false)
  expect(await fault.look(never)).toEqual({ state: 'absent' })
})

test('an experiment that is killed leaves no process paused, at whatever step', { timeout: 600_000 }, async () => {
  await using victim = await startVictim()
  await expectNothingLeft('process.pause', { target: { pid: victim.pid } }, async (after) => {
    expect(await victim.standsStill(), after).toBe(false)
  })
})

test('a process that makes others all the time stops, whenever the order comes', { timeout: 120_000 }, async ({ skip }) => {
  const freezer = findFreezer()
  skip(freezer === undefined, 'this machine has no freezer that this user may use')
  if (freezer === undefined) return
  const maker = spawn('sh', ['-c', 'while :; do /bin/true; done'], { stdio: 'ignore' })
  await once(maker, 'spawn')
  const pid = maker.pid!
  await using _end = { [Symbol.asyncDispose]: async () => void (maker.kill('SIGKILL'), await once(maker, 'exit')) }
  for (let round = 0; round < 1000; round++) {
    const name = `holdfast-test-${process.pid}-${round}`
    const origin = groupOf(pid, freezer)
    await freeze(freezer, origin, name, [pid], never)
    const stopped = await isFrozen(freezer, origin, name)
    await thaw(freezer, origin, name)
    expect(stopped, `round ${round}`).toBe(true)
  }
})

test('a killed process is gone when the fault counts as injected, and an end brings nothing back', async () => {
  await using folder = await chaosFolder()
  await using victim = await startVictim()
  await using guard = await guardIn(folder.path)
  const kill = bound('process.kill', { target: { pid: victim.pid } })
  expect(kill.irreversible).toBe(true)
  const fault = await guard.inject(kill, 60_000, never)
  expect(await victim.runs()).toBe(false)
  await fault.end()
  expect(await victim.runs()).toBe(false)
})

test('what is not there cannot be broken: no target is an error, not a fault', async () => {
  await using folder = await chaosFolder()
  await using guard = await guardIn(folder.path)
  const fault = bound('process.kill', { target: { name: 'no-such-name' } })
  await expect(guard.inject(fault, 60_000, never)).rejects.toMatchObject({ code: 'fault-refused' })
})
