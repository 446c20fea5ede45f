import { expect, test } from 'vitest'
import { bound, chaosFolder, guardIn, never, startVictim } from '../support/chaos.ts'

test('a process paused by SIGSTOP stands still, and goes on when the fault ends', async () => {
  await using folder = await chaosFolder()
  await using victim = await startVictim()
  await using guard = await guardIn(folder.path)
  const fault = await guard.inject(bound('process.pause', { target: { pid: victim.pid }, by: 'signal' }), 60_000, never)
  expect(await victim.state()).toBe('T')
  expect(fault.targets).toEqual([`process ${victim.pid} (sleep)`])
  expect(await fault.look(never)).toEqual({ state: 'present' })
  expect(await fault.end()).toMatchObject({ by: 'injector' })
  expect(await victim.state()).toBe('S')
  expect(await fault.look(never)).toEqual({ state: 'absent' })
})
